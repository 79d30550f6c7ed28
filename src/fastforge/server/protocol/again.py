"""Again: a request is read once more, without the upgrade that it asked for and does not get.

Whoever asks for another protocol may be answered in this one. The parser does not know that: what
follows the headers is for it no HTTP any more, and a body would be taken for the next request.
Clients that speak HTTP/2 ask so with every request that they send unencrypted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import httptools

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["has_body", "parser_without_upgrade"]

FRAMING: Final = frozenset({b"content-length", b"transfer-encoding"})


def has_body(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Return whether the headers of a request announce a body."""
    return any(name in FRAMING for name, _ in headers)


def parser_without_upgrade(connection: Connection) -> Any:
    """Return a parser that waits for the body of the request that has come last.

    Args:
        connection: The connection, which goes on with this parser.
    """
    headers = connection.scope["headers"]
    lines = [b"POST / HTTP/1.1"]  # the method does not matter where the length is told
    lines += [name + b": " + value for name, value in headers if name in FRAMING]
    parser: Any = httptools.HttpRequestParser(_Listener(connection))
    parser.feed_data(b"\r\n".join((*lines, b"", b"")))
    return parser


class _Listener:
    """Hears what the parser finds, and keeps the head that it has been given to itself."""

    def __init__(self, connection: Connection) -> None:
        self._is_in_known_head = True
        self._connection = connection
        self.on_body = connection.on_body
        self.on_message_complete = connection.on_message_complete

    def on_message_begin(self) -> None:
        if not self._is_in_known_head:
            self._connection.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if not self._is_in_known_head:
            self._connection.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._is_in_known_head:
            self._connection.on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._is_in_known_head:
            self._is_in_known_head = False
        else:
            self._connection.on_headers_complete()
