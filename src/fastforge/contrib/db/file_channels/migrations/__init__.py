"""The migrations of channels in a file."""
