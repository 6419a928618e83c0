"""What in the published tables contradicts something else."""
