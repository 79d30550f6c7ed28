"""Logging: one stream of lines for everything that a process says, whoever says it."""

from __future__ import annotations

from .output import process_lines

__all__ = ["process_lines"]
