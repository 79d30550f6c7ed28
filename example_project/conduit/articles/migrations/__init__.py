"""The migrations of articles."""
