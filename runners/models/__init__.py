"""What the benchmarks train: networks, and the loop that may be killed at any moment."""
