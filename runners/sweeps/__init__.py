"""Many runs: planned as rows, estimated, executed, told."""
