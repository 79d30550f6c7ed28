"""The migrations of these tables."""
