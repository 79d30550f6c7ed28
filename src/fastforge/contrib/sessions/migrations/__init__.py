"""The migrations of this app's table."""
