"""PURE: measurements in, verdict out; no file, clock, network or global random state."""
