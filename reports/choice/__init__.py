"""What a score costs."""
