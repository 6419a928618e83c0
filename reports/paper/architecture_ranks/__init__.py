"""The section on architectures: Table III, recomputed and compared with its print."""
