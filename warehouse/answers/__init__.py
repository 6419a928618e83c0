"""What is asked of the tables, and how the answer looks."""
