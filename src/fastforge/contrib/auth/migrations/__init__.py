"""The migrations of what users were given."""
