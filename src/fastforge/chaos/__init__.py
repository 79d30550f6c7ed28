"""A restart under load, on the machine of whoever asks: what `manage chaos` does."""
