"""What every program here has in common: messages, and a loop that says them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

__all__ = ["ROOM", "say"]

ROOM = "room"
FIELDS_BYTES = 70
"""About what the other fields of a message take."""


async def say(
    publish: Callable[[dict[str, Any]], Awaitable[object]], count: int, gap_s: float, size: int
) -> dict[str, int]:
    """Publish so many messages, each so long after the one before it.

    Args:
        publish: Takes a message.
        count: How many.
        gap_s: The seconds between two; 0: one after the other.
        size: What a message has in bytes, about.
    """
    began = time.monotonic()
    for number in range(count):
        due_in_s = began + number * gap_s - time.monotonic()
        if gap_s and due_in_s > 0:
            await asyncio.sleep(due_in_s)
        padding = "x" * (size - FIELDS_BYTES)
        await publish(
            {"type": "tick", "at": time.monotonic_ns(), "number": number, "padding": padding}
        )
    return {"count": count}
