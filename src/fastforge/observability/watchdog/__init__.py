"""Watchdog: names what blocks an event loop, from a thread beside it."""
