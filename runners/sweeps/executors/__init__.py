"""What executes the rows of a plan: processes of this machine, or Ray."""
