"""Ranks of the architectures, and how sure they are."""
