"""Output: the one buffer through which every line of this process leaves it."""

from __future__ import annotations

from functools import cache

from ..lines import LineBuffer

__all__ = ["process_lines"]


@cache
def process_lines() -> LineBuffer:
    """Return the buffer of this process, so that lines keep the order in which they were written.

    It writes to standard output, as that is at the moment of writing.
    """
    return LineBuffer()
