"""Wire: HTTP/1.1 as a client speaks it that wants to know exactly how a request failed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from .outcome import Failed, Outcome

__all__ = ["ADDRESS", "Connection", "Head", "Target"]

ADDRESS: Final = "127.0.0.1"
"""The only address that load goes to."""
CONNECT_LIMIT_S: Final = 5
READ_BYTES: Final = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The server under load.

    Args:
        port: Its port on 127.0.0.1.
        host: What the Host header says.
        headers: Other headers of every request.
    """

    port: int
    host: str
    headers: tuple[tuple[str, str], ...] = ()

    def head(self, path: str, extra: tuple[tuple[str, str], ...] = ()) -> bytes:
        """Return the head of a GET."""
        lines = [f"GET {path} HTTP/1.1", f"Host: {self.host}"]
        lines += [f"{name}: {value}" for name, value in (*self.headers, *extra)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The head of an answer; names of headers are in lower case."""

    status: int
    headers: dict[bytes, bytes]

    @property
    def keeps(self) -> bool:
        """Whether the server lets the connection live."""
        return b"close" not in self.headers.get(b"connection", b"").lower()


class Connection:
    """One connection, for one request after the other.

    Attributes:
        opened_at: When it was begun to be opened, on the monotonic clock.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, opened_at: float
    ) -> None:
        self._reader = reader
        self._writer = writer
        self.opened_at = opened_at

    @classmethod
    async def open(cls, target: Target) -> Connection:
        """Connect.

        Raises:
            Failed: Nobody listens, or nobody accepts.
        """
        opened_at = time.monotonic()
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                streams = await asyncio.open_connection(ADDRESS, target.port)
                return cls(*streams, opened_at=opened_at)
        except ConnectionRefusedError:
            raise Failed(Outcome.REFUSED) from None
        except TimeoutError:
            raise Failed(Outcome.TIMEOUT) from None
        except OSError:
            raise Failed(Outcome.RESET) from None

    @property
    def is_stale(self) -> bool:
        """Whether the server has closed it; a good client looks before it asks again."""
        return self._reader.at_eof() or self._reader.exception() is not None

    async def send(self, data: bytes) -> None:
        """Send bytes.

        Raises:
            Failed: The connection is torn.
        """
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError:
            raise Failed(Outcome.RESET) from None

    async def head(self) -> Head:
        """Read the head of an answer.

        Raises:
            Failed: There is none.
        """
        try:
            text = await self._reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            raise Failed(Outcome.TRUNCATED if error.partial else Outcome.EOF) from None
        except asyncio.LimitOverrunError:
            raise Failed(Outcome.MALFORMED) from None
        except OSError:
            raise Failed(Outcome.RESET) from None
        with _or_malformed():
            first, *lines = text.rstrip().split(b"\r\n")
            pairs = (line.partition(b":") for line in lines)
            headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
            return Head(status=int(first.split(b" ", 2)[1]), headers=headers)

    async def body(self, head: Head) -> None:
        """Read the body of an answer to its end.

        Raises:
            Failed: It is not whole.
        """
        try:
            if head.headers.get(b"transfer-encoding", b"").lower() == b"chunked":
                await self._chunks()
            elif head.status not in (204, 304):
                with _or_malformed():
                    length = int(head.headers[b"content-length"])
                await self._skip(length)
        except (asyncio.IncompleteReadError, OSError):
            raise Failed(Outcome.TRUNCATED) from None

    async def read_exactly(self, count: int) -> bytes:
        """Read so many bytes.

        Raises:
            Failed: The connection ended before.
        """
        try:
            return await self._reader.readexactly(count)
        except asyncio.IncompleteReadError:
            raise Failed(Outcome.EOF) from None
        except OSError:
            raise Failed(Outcome.RESET) from None

    async def until_closed(self) -> None:
        """Wait until the server closes it, however it does."""
        with suppress(OSError):
            while await self._reader.read(READ_BYTES):
                pass

    def close(self) -> None:
        """Close it."""
        with suppress(OSError, RuntimeError):
            self._writer.close()

    async def _chunks(self) -> None:
        while True:
            line = await self._reader.readuntil(b"\r\n")
            with _or_malformed():
                size = int(line.partition(b";")[0], 16)
            await self._skip(size + 2)
            if size == 0:
                return

    async def _skip(self, count: int) -> None:
        while count:
            data = await self._reader.read(min(count, READ_BYTES))
            if not data:
                raise asyncio.IncompleteReadError(b"", count)
            count -= len(data)


@contextmanager
def _or_malformed() -> Iterator[None]:
    try:
        yield
    except (ValueError, IndexError, KeyError):
        raise Failed(Outcome.MALFORMED) from None
