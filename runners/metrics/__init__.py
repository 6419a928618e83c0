"""Scores as pure functions: a value per item."""
