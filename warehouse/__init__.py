"""Every score beside every attribute, in one DuckDB file derived from an append-only log."""
