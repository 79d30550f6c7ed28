"""Articles: what is written, with its tags."""
