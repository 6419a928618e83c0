"""Page one."""
