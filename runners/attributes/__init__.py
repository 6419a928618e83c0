"""What is measured on the networks themselves."""
