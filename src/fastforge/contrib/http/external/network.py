"""Network: names become addresses once, are checked, and are what is connected to."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

import httpcore

from .policy import Policy

__all__ = ["CheckedBackend", "Network", "SystemNetwork"]

LOOK_UPS: Final = 32
"""Names that are looked up at the same time. A server of names that hangs holds up these alone."""
ADDRESSES: Final = 6
"""Addresses of one name that are tried."""


class Network(Protocol):
    """What is asked for addresses and connections."""

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """Return all addresses of a host, the best first; OSError: it has none."""
        ...

    async def connect(
        self, address: str, port: int, timeout_s: float | None, options: Iterable[Any] | None
    ) -> httpcore.AsyncNetworkStream:
        """Return a connection to an address."""
        ...


class SystemNetwork:
    """That of the machine.

    Names are looked up in threads of its own: whoever gives us URLs may have a server of names
    that does not answer, and would else take the threads that everything needs. The end of the
    process does not wait for them.
    """

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(LOOK_UPS)
        # Which class that is depends on whether anyio is installed.
        self._backend: Any = httpcore.AnyIOBackend()

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """Ask the resolver of the machine; an address is its own."""
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[list[str]] = loop.create_future()

        def tell(found: list[str] | Exception) -> None:
            self._free.release()  # not before, though nobody may wait for the answer any more
            if answered.done():
                return
            if isinstance(found, Exception):
                answered.set_exception(found)
            else:
                answered.set_result(found)

        def look_up() -> None:
            found = _looked_up(host, port)
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(tell, found)

        threading.Thread(target=look_up, name="fastforge look-up", daemon=True).start()
        return await answered

    async def connect(
        self, address: str, port: int, timeout_s: float | None, options: Iterable[Any] | None
    ) -> httpcore.AsyncNetworkStream:
        """Connect; an address is not looked up again."""
        stream: httpcore.AsyncNetworkStream = await self._backend.connect_tcp(
            address, port, timeout=timeout_s, socket_options=options
        )
        return stream


def _looked_up(host: str, port: int) -> list[str] | Exception:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return error
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to addresses that a policy lets pass.

    The address that is connected to is the one that was checked: nothing looks the name up a
    second time, whatever its answer would be by then. Above it the host of the URL stays the name,
    so that TLS asks for it and compares the certificate with it.

    Args:
        policy: What may be connected to.
        network: What connects.
    """

    def __init__(self, policy: Policy, network: Network) -> None:
        self._policy = policy
        self._network = network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Look a name up, check all of its addresses, and connect to the first that answers.

        Raises:
            ExternalRefused: One of the addresses is not of the internet.
        """
        loop = asyncio.get_running_loop()
        deadline = None if timeout is None else loop.time() + timeout
        addresses = await self._addresses(host, port, deadline)
        self._policy.check_addresses(host, addresses)
        left = list(addresses[:ADDRESSES])
        while True:
            address = left.pop(0)
            share_s = None if deadline is None else (deadline - loop.time()) / (len(left) + 1)
            try:
                return await self._network.connect(address, port, share_s, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not left:
                    raise

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: a socket file is never outside."""
        raise httpcore.UnsupportedProtocol("a socket file is not a host of the internet")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def _addresses(self, host: str, port: int, deadline: float | None) -> Sequence[str]:
        try:
            async with asyncio.timeout_at(deadline):
                found = await self._network.addresses(host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("the name was not looked up in time") from error
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("the name has no address") from error
        if not found:
            raise httpcore.ConnectError("the name has no address")
        return found
