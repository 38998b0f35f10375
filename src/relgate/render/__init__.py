"""Layouts of the scorecard: terminal, Markdown and JUnit properties; the view says what they show."""
