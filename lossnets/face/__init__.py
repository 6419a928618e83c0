"""What `lossnets` offers in Python, and the command line calls."""
