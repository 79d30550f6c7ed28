"""Forms: the token in the body of a form, found before the handler reads it."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_plus

from starlette.types import Message, Receive, Scope

from .csrf import FIELD

__all__ = ["is_form", "read_field", "token_of_part"]

MOST_BYTES: Final = 512 * 1024
"""So large a form is looked through; with a larger upload the token has to be a header."""
_TYPES: Final = (b"application/x-www-form-urlencoded", b"multipart/form-data")
_PLAIN: Final = re.compile(rf"(?:^|&){FIELD}=([^&]*)".encode())
_PART: Final = f'name="{FIELD}"'.encode()
_BLANK_LINE: Final = b"\r\n\r\n"
_VALUE: Final = re.compile(rb"([A-Za-z0-9_=-]+)\r\n")


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
    if token := token_of_part(body):
        return token
    if found := _PLAIN.search(body):
        return unquote_plus(found[1].decode("latin-1"))
    return ""


def token_of_part(body: bytes) -> str:
    """Return the token in a part of a multipart form.

    Each byte is looked at a few times and no more, whatever the body is: one expression over the
    lines of a part takes the square of their number, which is minutes for half a megabyte.
    """
    position = body.find(_PART)
    while position >= 0:
        head_end = body.find(_BLANK_LINE, position)
        if head_end < 0:
            return ""
        content = head_end + len(_BLANK_LINE)
        if found := _VALUE.match(body, content):
            return found[1].decode("ascii")
        position = body.find(_PART, content)
    return ""


def _replaying(messages: list[Message], receive: Receive) -> Receive:
    waiting = iter(messages)

    async def replay() -> Message:
        for message in waiting:
            return message
        return await receive()

    return replay
