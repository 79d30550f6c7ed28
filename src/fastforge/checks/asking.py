"""Asking: several questions side by side, with one time limit for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

__all__ = ["answers_within"]

T = TypeVar("T")


async def answers_within(
    limit_s: float, questions: Iterable[Coroutine[Any, Any, T]]
) -> list[T | None]:
    """Return the answers in the order of the questions; None for what has none in time.

    Args:
        limit_s: How long all of them together may take, in seconds.
        questions: What is asked, side by side.

    Raises:
        Exception: What one of the questions raises.
    """
    asking = [asyncio.create_task(question) for question in questions]
    try:
        if asking:
            # Not `asyncio.timeout`: it waits for whoever takes its time over being cancelled.
            await asyncio.wait(asking, timeout=limit_s)
        return [each.result() if each.done() else None for each in asking]
    finally:
        for each in asking:
            each.cancel()
