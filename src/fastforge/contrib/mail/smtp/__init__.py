"""The backend `smtp`: a server that takes messages and sends them on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ....lifecycle import watched_breaker

if TYPE_CHECKING:
    from ....lifecycle import Container
    from ..backend import MailTransport

__all__ = ["open_smtp"]


@asynccontextmanager
async def open_smtp(container: Container) -> AsyncIterator[MailTransport]:
    """Give the transport; it connects with the first message.

    Raises:
        MissingExtraError: aiosmtplib is not installed.
    """
    from ..settings import Mail
    from .connections import Connections
    from .transport import SmtpTransport, breaker_of

    settings = container.settings
    connections = Connections(settings.section(Mail), settings.root)
    breaker = watched_breaker(breaker_of())
    try:
        yield SmtpTransport(settings.section(Mail), connections, breaker)
    finally:
        await connections.close()
