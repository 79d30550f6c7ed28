"""Publish in channels, and describe them for those who write clients.

`inspect channels` lists them.
"""
