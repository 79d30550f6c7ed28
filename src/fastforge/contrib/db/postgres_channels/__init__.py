"""Channels by PostgreSQL's LISTEN and NOTIFY, for projects of several processes without Redis."""
