"""Which loss network to take, at what cost."""
