"""Lint: what a migration would break while it runs, or for the code that still runs beside it."""
