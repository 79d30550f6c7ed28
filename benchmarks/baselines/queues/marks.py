"""Marks: one file to which every process of a run writes when a job was sent, began and ended.

A line is `KIND NUMBER MONOTONIC_NS`: one write each, whole also when the process is killed.
It adds nothing to the traffic of the server that is measured. Scripts import it that run in
environments without fastforge, so it uses the standard library only.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Final

__all__ = ["SENT", "STARTED", "mark", "produce"]

SENT: Final = "Q"
STARTED: Final = "S"

_file = os.open(
    os.environ.get("BENCH_MARKS", os.devnull), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644
)


def mark(kind: str, number: int) -> None:
    """Write that something happened to a job now."""
    os.write(_file, f"{kind} {number} {time.monotonic_ns()}\n".encode())


async def produce(send: Callable[[int], Awaitable[object]]) -> None:
    """Send jobs one after another, as the arguments of this process say: FIRST COUNT GAP_MS."""
    first, count, gap_s = int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]) / 1000
    begin = time.monotonic()
    for index in range(count):
        if gap_s:
            await asyncio.sleep(max(0.0, begin + index * gap_s - time.monotonic()))
        mark(SENT, first + index)
        await send(first + index)
    mark("E", first + count)
