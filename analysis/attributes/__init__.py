"""Whether attributes of a network go with its scores."""
