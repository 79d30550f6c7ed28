"""A client that says exactly what it is told to, and may leave in the middle of it."""

from __future__ import annotations

import http.client
import json
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

TIMEOUT_S = 60

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; names of headers are in lower case, and may come more than once."""

    status: int
    headers: Headers
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def request_id(self) -> str:
        return self.one("x-request-id")

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key == name]

    def one(self, name: str) -> str:
        """The value of a header that has to be there exactly once."""
        (value,) = self.all(name)
        return value


class Wire:
    """One connection to a server on this machine."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)

    def send(self, *lines: str, body: bytes = b"") -> Self:
        """Write a request line and headers, and whatever of a body; the blank line is ours."""
        self.socket.sendall("\r\n".join((*lines, "", "")).encode("latin-1") + body)
        return self

    def get(self, path: str) -> Self:
        return self.send(f"GET {path} HTTP/1.1", "Host: localhost")

    def post(self, path: str) -> Self:
        return self.send(f"POST {path} HTTP/1.1", "Host: localhost", "Content-Length: 0")

    def receive(self, text: bytes) -> bytes:
        """Read until `text` has come."""
        received = b""
        while text not in received:
            more = self.socket.recv(65536)
            assert more, f"closed after {received!r}"
            received += more
        return received

    def rest(self) -> bytes:
        """Read until the server closes the connection."""
        received = b""
        while more := self.socket.recv(65536):
            received += more
        return received

    def answer(self, method: str = "GET") -> Answer:
        """Read one whole answer."""
        response = http.client.HTTPResponse(self.socket, method=method)
        response.begin()
        headers = tuple((name.lower(), value) for name, value in response.getheaders())
        return Answer(response.status, headers, response.read())

    def leave(self, *, reset: bool = False) -> None:
        """Close the connection: in order, or as a machine does that has lost its power."""
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.leave()


def ask(
    port: int,
    method: str,
    path: str,
    *,
    headers: Iterable[str] = (),
    body: bytes | None = None,
) -> Answer:
    """Send one request on a connection of its own; a `Host` among the headers replaces ours."""
    lines = [f"{method} {path} HTTP/1.1", "Connection: close", *headers]
    if not any(line.lower().startswith("host:") for line in lines):
        lines.append("Host: localhost")
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    with Wire(port) as wire:
        return wire.send(*lines, body=body or b"").answer(method)
