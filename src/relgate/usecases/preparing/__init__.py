"""Everything of a run before its first call."""
