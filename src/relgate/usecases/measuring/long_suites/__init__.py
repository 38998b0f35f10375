"""Suites of more than 10,000 recorded cases, scored in blocks."""
