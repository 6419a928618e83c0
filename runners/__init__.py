"""The benchmarks, and what is measured on the networks themselves. The only part that needs torch."""
