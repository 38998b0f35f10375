"""Suites of more than 10,000 recorded cases, judged from columns."""
