"""The loss networks: Table I, printed beside measured, and Table II."""
