"""Conduit: the RealWorld API, a page that is a client of it, and followers who are told."""
