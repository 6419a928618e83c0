"""The data sets: where they come from, whether they are whole, decoded once."""
