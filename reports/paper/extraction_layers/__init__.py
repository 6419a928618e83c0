"""Which extraction layer: Table IV, Figures 2 and 3."""
