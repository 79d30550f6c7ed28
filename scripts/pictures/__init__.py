"""The pictures of the documentation, drawn from text: `python -m scripts.pictures`."""
