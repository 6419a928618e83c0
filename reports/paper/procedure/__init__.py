"""The procedure: Figure 1."""
