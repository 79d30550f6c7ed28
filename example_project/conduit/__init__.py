"""Conduit: the RealWorld API, the smallest part of it that stores, publishes and runs jobs."""
