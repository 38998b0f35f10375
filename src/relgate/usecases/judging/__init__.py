"""From the measurements of a run to its verdict."""
