"""What makes loss networks fast on a CPU, each removable."""
