"""The calls of a run: who is asked, how often, what is kept, and when it is enough."""
