"""Connections: what the external calls of a process share."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ..library import httpx

if TYPE_CHECKING:
    from .network import Network

__all__ = ["DEADLINE", "ExternalConnections"]

DEADLINE: Final = "fastforge.deadline"
"""The extension of a request that says when all of the call has to be over, by the loop's clock."""


class ExternalConnections:
    """What the external calls of a process share: their number, names and certificates.

    Args:
        limit: How many connections there are at most.
        network: What connects.
    """

    def __init__(self, limit: int, network: Network | None = None) -> None:
        self._network = network
        self._places = asyncio.Semaphore(limit)
        self._reading = asyncio.Lock()
        self._certificates: ssl.SSLContext | None = None

    @property
    def network(self) -> Network:
        """What connects: it is imported with the first call, as is all that needs a connection."""
        if self._network is None:
            from .network import SystemNetwork

            self._network = SystemNetwork()
        return self._network

    async def certificates(self) -> ssl.SSLContext:
        """Return the authorities that are trusted; they are read in a thread, once."""
        async with self._reading:
            if self._certificates is None:
                self._certificates = await asyncio.to_thread(httpx.create_ssl_context)
            return self._certificates

    async def take_place(self, timeout_s: float | None) -> Callable[[], None]:
        """Wait for a connection to be free; what is returned gives it back.

        Raises:
            httpx.PoolTimeout: None is, in time.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._places.acquire()
        except TimeoutError as error:
            raise httpx.PoolTimeout("all connections are in use") from error
        return self._places.release
