"""What was computed, and how."""
