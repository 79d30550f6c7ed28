"""Articles: what is written, with its tags, comments and who likes it."""
