"""Faults injected before a release's providers."""
