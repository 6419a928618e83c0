"""How the report was made."""
