"""Channels by a SQLite file, for the several processes of one machine."""
