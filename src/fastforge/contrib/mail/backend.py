"""MailBackend: what delivers letters, as an app declares it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from ...lifecycle import Container
from .letter import Letter

__all__ = ["Delivery", "MailBackend", "MailTransport"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of a letter that was taken for some of its recipients at least.

    Args:
        deferred: The recipients that the server takes later, perhaps.
        refused: Those that it takes never.
    """

    deferred: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


class MailTransport(Protocol):
    """What a backend does."""

    async def deliver(self, letter: Letter, /) -> Delivery:
        """Hand a letter over.

        Raises:
            MailRefused: For none of its recipients, and not later either.
            MailUnavailable: Not now.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MailBackend:
    """The declaration of a backend, in an app's `mail_backends.py`.

    ```python
    @asynccontextmanager
    async def open_provider(container: Container) -> AsyncIterator[MailTransport]:
        yield Provider(container.settings.section(Provider))

    PROVIDER = MailBackend(name="provider", open=open_provider)
    ```

    Args:
        name: What MAIL.backend calls it.
        open: Gives the transport for the life of a process; called only where MAIL names it.
    """

    name: str
    open: Callable[[Container], AbstractAsyncContextManager[MailTransport]]
