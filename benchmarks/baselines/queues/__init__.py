"""Queues: the same two jobs and the same producer on fastforge, on plain arq and on taskiq."""
