"""Error answers: problems as values, what they look like, and what becomes one."""
