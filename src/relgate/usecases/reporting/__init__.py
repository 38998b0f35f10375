"""What a run leaves behind: the scorecard, the reports and the registry's record."""
