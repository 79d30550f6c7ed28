"""The framework as its own first installed app."""
