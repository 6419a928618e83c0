"""Which extraction layer is the best, and how much it matters."""
