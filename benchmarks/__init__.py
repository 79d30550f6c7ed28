"""Comparisons with the usual hand-written code: `python -m benchmarks.NAME [--json] [--quick]`."""
