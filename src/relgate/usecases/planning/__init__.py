"""Whole policies simulated from given or stored values."""
