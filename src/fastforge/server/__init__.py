"""The server: listens first, then loads and serves; starts again when a file changes."""
