"""Models that judge: labels that correct them, and how far they can be trusted."""
