"""What the layer costs: Figure 4."""
