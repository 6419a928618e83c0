"""The section with the scores themselves: Tables V to XI, and what was measured beside them."""
