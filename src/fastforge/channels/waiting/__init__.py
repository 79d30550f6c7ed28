"""Waiting: what one client is sent, within bounds, and how it gets there."""

from __future__ import annotations
