"""The runs of this warehouse."""
