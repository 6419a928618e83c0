"""Anything against anything, in the page itself."""
