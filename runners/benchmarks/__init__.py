"""The paper's four benchmarks, a module each, read from top to bottom."""
