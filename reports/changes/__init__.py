"""What changed since the last report in the same folder."""
