"""The migrations of the ready user model."""
