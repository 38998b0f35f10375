"""Simulated worlds with a known truth, and what relgate's own code decides about them."""
