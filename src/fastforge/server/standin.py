"""Stand-in: answers on the application's socket while the application does not run.

It runs in a thread of its own, so that the supervisor goes on, and on an event loop, so that
clients that are slow or silent hold up nobody.
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from .errorpage import html_page, problem
from .failure import Failure

__all__ = ["StandIn"]

CONNECTIONS: Final = 100
HEAD_BYTES: Final = 64 * 1024
BODY_BYTES: Final = 1024 * 1024
HEAD_WITHIN_S: Final = 5
CLOSED_WITHIN_S: Final = 1
STOPPED_WITHIN_S: Final = 2


class StandIn:
    """Shows a failure to whoever asks; `show` and `hide` may be called again and again.

    Args:
        sock: A socket that listens; while nothing is shown, others accept on it.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._accepting = False
        self._failure: Failure | None = None
        self._failure_id = ""
        self._clients: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def show(self, failure: Failure) -> None:
        """Answer every request with a failure."""
        if failure != self._failure:  # a page that shows it already may stay
            self._failure, self._failure_id = failure, secrets.token_hex(8)
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
            self._thread.start()
        self._on_loop(self._accept_if_wanted, True)

    def hide(self) -> None:
        """Accept no more; who is connected still gets an answer."""
        self._on_loop(self._accept_if_wanted, False)

    def close(self) -> None:
        """Accept no more, and give those that are connected a moment."""
        if self._loop is None or self._thread is None:
            return
        self.hide()
        ending = asyncio.run_coroutine_threadsafe(self._finish(), self._loop)
        with suppress(TimeoutError):
            ending.result(STOPPED_WITHIN_S + 1)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._loop = None

    def _on_loop(self, function: Callable[[bool], None], value: bool) -> None:
        """Call a function in the loop's thread, and wait until it has returned."""
        if self._loop is None:
            return
        done = threading.Event()

        def call() -> None:
            try:
                function(value)
            finally:
                done.set()

        self._loop.call_soon_threadsafe(call)
        done.wait()

    def _accept_if_wanted(self, wanted: bool) -> None:
        assert self._loop is not None
        if wanted and not self._accepting:
            self._sock.setblocking(False)
            self._loop.add_reader(self._sock, self._accept)
        elif not wanted and self._accepting:
            self._loop.remove_reader(self._sock)
        self._accepting = wanted

    def _accept(self) -> None:
        assert self._loop is not None
        if len(self._clients) >= CONNECTIONS:
            self._loop.remove_reader(self._sock)  # until one of them has left
            return
        try:
            client, _ = self._sock.accept()
        except OSError:  # another process was quicker, or the client has left
            return
        client.setblocking(False)
        task = self._loop.create_task(self._serve(client))
        self._clients.add(task)
        task.add_done_callback(self._left)

    def _left(self, task: asyncio.Task[None]) -> None:
        self._clients.discard(task)
        if self._accepting and self._loop is not None:
            self._loop.add_reader(self._sock, self._accept)

    async def _finish(self) -> None:
        if self._clients:
            await asyncio.wait(set(self._clients), timeout=STOPPED_WITHIN_S)
        for task in set(self._clients):
            task.cancel()
        if self._clients:
            await asyncio.wait(set(self._clients), timeout=CLOSED_WITHIN_S)

    async def _serve(self, client: socket.socket) -> None:
        try:
            reader, writer = await asyncio.open_connection(sock=client, limit=HEAD_BYTES)
        except OSError:  # it has left already
            client.close()
            return
        try:
            request = await asyncio.wait_for(_read(reader), HEAD_WITHIN_S)
            writer.write(self._answer(request))
            writer.write_eof()
            # Closing with unread bytes would reset the connection and with it our answer.
            await asyncio.wait_for(reader.read(BODY_BYTES), CLOSED_WITHIN_S)
        except (OSError, TimeoutError, EOFError, ValueError, asyncio.LimitOverrunError):
            pass  # it has left, is too slow, or speaks something else
        finally:
            writer.close()

    def _answer(self, request: _Request) -> bytes:
        assert self._failure is not None
        failure = self._failure
        if not request.comes_from_here:
            failure = Failure.saying("The application does not run; its terminal says why")
        nonce = secrets.token_urlsafe()
        if request.wants_html:
            kind = "text/html; charset=utf-8"
            body = html_page(failure, failure_id=self._failure_id, nonce=nonce).encode()
        else:
            kind, body = "application/problem+json", problem(failure).encode()
        head = (
            "HTTP/1.1 503 Service Unavailable\r\n"
            f"content-type: {kind}\r\ncontent-length: {len(body)}\r\n"
            f"content-security-policy: {_policy(nonce)}\r\n"
            "x-content-type-options: nosniff\r\ncache-control: no-store\r\nretry-after: 1\r\n"
            f"x-failure: {self._failure_id}\r\nconnection: close\r\n\r\n"
        )
        return head.encode() + (b"" if request.method == "HEAD" else body)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """What the answer depends on."""

    method: str
    headers: Mapping[str, str]

    @property
    def wants_html(self) -> bool:
        return "text/html" in self.headers.get("accept", "")

    @property
    def comes_from_here(self) -> bool:
        """Whether the host is one that no stranger's web page can have: it might read us."""
        host = self.headers.get("host", "").rpartition("@")[2]
        name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
        if name == "localhost" or name.endswith(".localhost"):
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


async def _read(reader: asyncio.StreamReader) -> _Request:
    """Read a request, and throw its body away as far as it is small."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    length = headers.get("content-length", "0")
    if length.isascii() and length.isdigit() and 0 < int(length) <= BODY_BYTES:
        await reader.readexactly(int(length))
    return _Request(method=first.partition(" ")[0], headers=headers)


def _policy(nonce: str) -> str:
    return (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
