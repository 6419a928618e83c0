"""The benchmarks, and what is measured on the networks. The only part that needs torch."""
