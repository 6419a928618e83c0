"""Between benchmarks."""
