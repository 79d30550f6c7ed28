"""The backend `memory`: messages are kept in the process, for tests."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from ...lifecycle import Container
from .backend import Delivery, MailTransport
from .letter import Letter

__all__ = ["delivered", "open_memory"]

_KEPT: Final = 1000

delivered: Final[deque[Letter]] = deque(maxlen=_KEPT)
"""What has been delivered in this process; each test begins with nothing."""


@asynccontextmanager
async def open_memory(container: Container) -> AsyncIterator[MailTransport]:
    """Give the transport."""
    yield _Memory()


class _Memory:
    async def deliver(self, letter: Letter, /) -> Delivery:
        delivered.append(letter)
        return Delivery()
