"""Calls: what one call of a script is given, where there is much to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

__all__ = ["CHUNK", "CHUNK_BYTES", "calls_of"]

CHUNK: Final = 500
"""How many jobs one call of a script is given: the server does nothing else meanwhile."""
CHUNK_BYTES: Final = 4_000_000
"""How much it is given, roughly, at the most."""


def calls_of(jobs: Iterable[tuple[Any, ...]]) -> Iterator[list[Any]]:
    """Yield the arguments of some jobs at a time, for one call of a script.

    Of big ones they are fewer: a call that takes longer than the client waits would be sent again,
    and never be answered. And the server does nothing else meanwhile.
    """
    args: list[Any] = []
    count = size = 0
    for job in jobs:
        args += job
        count += 1
        size += sum(len(each) for each in job if isinstance(each, bytes | str))
        if count >= CHUNK or size >= CHUNK_BYTES:
            yield args
            args, count, size = [], 0, 0
    if args:
        yield args
