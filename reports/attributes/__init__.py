"""Attributes against scores."""
