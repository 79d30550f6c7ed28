"""A database behind the public proxy, under the names that the tests of the database use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastforge.test.proxy import Proxy


class CountingProxy(Proxy):
    """The proxy, with its reset as these tests call it."""

    def cut(self) -> None:
        """Close every connection, as a firewall does."""
        self.reset()


@asynccontextmanager
async def counting(url: str) -> AsyncIterator[tuple[str, CountingProxy]]:
    """Give the same database behind a proxy."""
    with CountingProxy(url) as proxy:
        yield proxy.url, proxy
