"""Strict mode: a call that blocks raises where it is made, if that is on an event loop.

It is for development and tests. Nothing but Python's own audit events and a few functions of the
standard library are needed for it; both cost nothing until somebody turns it on.
"""
