"""Carrying: what takes a message to every process that has somebody in its room."""

from __future__ import annotations
