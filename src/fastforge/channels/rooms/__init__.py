"""Rooms: who is in a channel here, and the way of a message to all of them."""

from __future__ import annotations
