"""Files of more than 10,000 lines: read by number, never held."""
