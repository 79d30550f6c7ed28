"""The command line: the third reader of a project."""
