"""Whole processes timed against a mock provider, beside a bare loop that does the same calls."""
