"""relgate: the release gate for LLM systems."""
