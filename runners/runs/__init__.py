"""A run: what is asked for, planned, executed and recorded."""
