"""Notes: an app to start from."""
