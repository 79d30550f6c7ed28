"""Connections: those to the server, kept for the next message and closed when there is none."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import anyio.to_thread

from ..addresses import parse_address
from ..settings import Mail
from .library import smtp

__all__ = ["Connections"]

IDLE_S: Final = 20.0
"""A connection that nobody has used for so long is closed."""
_LOCAL: Final = "localhost"


class Connections:
    """The connections of a process, at most `MAIL.max_connections` of them.

    Args:
        config: The section.
        root: What a relative path in it is relative to.
    """

    def __init__(self, config: Mail, root: Path) -> None:
        self._config = config
        self._root = root
        self._free = asyncio.Semaphore(config.max_connections)
        self._idle: dict[smtp.SMTP, asyncio.TimerHandle] = {}
        self._tls: ssl.SSLContext | None = None

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[smtp.SMTP]:
        """Give a connection that answers; after an error it is closed.

        Raises:
            SMTPException: There is none to be had.
            OSError: The server cannot be reached.
        """
        async with self._free:
            client = await self._idle_one() or await self.connect()
            try:
                yield client
            except BaseException as error:
                # After an answer that says no the server waits for the next message. Where one has
                # not come, it may come yet, and would be taken for that to the next command.
                if isinstance(error, smtp.SMTPResponseException | smtp.SMTPRecipientsRefused):
                    self._keep(client)
                else:
                    client.close()
                raise
            self._keep(client)

    async def connect(self) -> smtp.SMTP:
        """Make a connection, encrypted and logged in as the section says."""
        config = self._config
        client = smtp.SMTP(
            hostname=config.host,
            port=config.real_port,
            username=config.username or None,
            password=config.password if config.username else None,
            local_hostname=_greeting(config),
            timeout=config.timeout_s,
            use_tls=config.tls == "implicit",
            start_tls=config.tls == "starttls",
            tls_context=await self._context(),
        )
        await client.connect(timeout=config.connect_timeout_s)
        return client

    async def close(self) -> None:
        """Close what is idle, politely."""
        for client, timer in list(self._idle.items()):
            timer.cancel()
            with suppress(smtp.SMTPException, OSError):
                await client.quit(timeout=1)
            client.close()
        self._idle.clear()

    async def _idle_one(self) -> smtp.SMTP | None:
        while self._idle:
            client, timer = self._idle.popitem()
            timer.cancel()
            try:
                await client.noop()
            except (smtp.SMTPException, OSError):  # the server has closed it meanwhile
                client.close()
            else:
                return client
        return None

    def _keep(self, client: smtp.SMTP) -> None:
        if client.is_connected:
            loop = asyncio.get_running_loop()
            self._idle[client] = loop.call_later(IDLE_S, self._drop, client)

    def _drop(self, client: smtp.SMTP) -> None:
        if self._idle.pop(client, None) is not None:
            client.close()

    async def _context(self) -> ssl.SSLContext | None:
        if self._config.tls == "none":
            return None
        if self._tls is None:
            file = self._config.ca_file
            path = None if file is None else str(self._root / file)
            # Reading all certificates of the system takes a while.
            self._tls = await anyio.to_thread.run_sync(
                lambda: ssl.create_default_context(cafile=path)
            )
        return self._tls


def _greeting(config: Mail) -> str:
    """Return the name that the server is greeted by: a resolver could take long over another."""
    sender = config.from_address
    return parse_address(sender, "MAIL.from_address").domain if sender else _LOCAL
