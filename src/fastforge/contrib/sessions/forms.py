"""Forms: the token in the body of a form, found before the handler reads it."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_plus

from starlette.types import Message, Receive, Scope

from .csrf import FIELD

__all__ = ["is_form", "read_field"]

MOST_BYTES: Final = 512 * 1024
"""So large a form is looked through; with a larger upload the token has to be a header."""
_TYPES: Final = (b"application/x-www-form-urlencoded", b"multipart/form-data")
_PLAIN: Final = re.compile(rf"(?:^|&){FIELD}=([^&]*)".encode())
_PART: Final = re.compile(
    rf'name="{FIELD}"[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n([A-Za-z0-9_=-]+)\r\n'.encode()
)


def is_form(scope: Scope) -> bool:
    """Return whether the body of a request is a form, and not too large to be looked through."""
    kind, size = b"", b"0"
    for name, value in scope["headers"]:
        if name == b"content-type":
            kind = value.partition(b";")[0].strip().lower()
        elif name == b"content-length":
            size = value
    return kind in _TYPES and size.isdigit() and int(size) <= MOST_BYTES


async def read_field(receive: Receive) -> tuple[str, Receive]:
    """Return the token in a form, and what gives the whole body to whoever reads it next.

    Where exactly it stands does not matter: whoever can write it anywhere knows it.
    """
    messages: list[Message] = []
    body = bytearray()
    while len(body) <= MOST_BYTES:
        message = await receive()
        messages.append(message)
        body += message.get("body", b"")
        if message["type"] != "http.request" or not message.get("more_body"):
            break
    return _token(bytes(body)), _replaying(messages, receive)


def _token(body: bytes) -> str:
    if found := _PART.search(body):
        return found[1].decode("ascii")
    if found := _PLAIN.search(body):
        return unquote_plus(found[1].decode("latin-1"))
    return ""


def _replaying(messages: list[Message], receive: Receive) -> Receive:
    waiting = iter(messages)

    async def replay() -> Message:
        for message in waiting:
            return message
        return await receive()

    return replay
