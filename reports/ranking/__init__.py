"""How sure the ranking is."""
