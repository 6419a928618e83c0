"""How much of a result is noise."""
