"""Guard: whether strict mode is on, and for whom."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from .callers import Exempt, blamed
from .errors import BlockingCallError

__all__ = ["allow_blocking", "exemptions", "is_on", "refuse"]

_allowed: Final[ContextVar[bool]] = ContextVar("fastforge_allow_blocking", default=False)


exemptions: Final[list[Exempt]] = []
"""Whose code may block, by each who has turned strict mode on: it is on as long as somebody has."""


@contextmanager
def allow_blocking() -> Iterator[None]:
    """Let what runs inside block, although strict mode is on.

    ```python
    with allow_blocking():  # a few bytes, once
        limits = Path("limits.json").read_text()
    ```

    Surprises: it is for code whose author knows better. The watchdog still tells of what blocks
    for long in production.
    """
    token = _allowed.set(True)
    try:
        yield
    finally:
        _allowed.reset(token)


def is_on() -> bool:
    """Return whether a call that blocks is looked at here: strict mode is on, and a loop runs."""
    return bool(exemptions) and asyncio._get_running_loop() is not None


def refuse(primitive: str) -> None:
    """Refuse a call, if code of the user's makes it on an event loop.

    Args:
        primitive: The dotted name of what is called.

    Raises:
        BlockingCallError: It is refused.
    """
    if not is_on() or _allowed.get():
        return
    # Who called us heard of the call, and is no part of it.
    found = blamed(sys._getframe(2), primitive, exemptions[-1])
    if found is not None:
        raise BlockingCallError(*found)
