"""The migrations of the jobs table."""
