"""Looks before the end of a suite, and what they decide."""
