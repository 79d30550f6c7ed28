"""Serving: the routes of channels, and what becomes of what comes in by them."""

from __future__ import annotations
