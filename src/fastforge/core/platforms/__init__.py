"""Platforms: what the files that run a project elsewhere say.

They are read as text. Whatever is not understood is left out: a check that reads them may be
silent, and must not be wrong.
"""
