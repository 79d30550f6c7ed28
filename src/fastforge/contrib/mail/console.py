"""The backend `console`: messages are shown where the process writes its lines."""

from __future__ import annotations

import textwrap
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Final

from ..._utils import printable
from ...lifecycle import Container
from ...observability.logging.output import process_lines
from .backend import Delivery, MailTransport
from .letter import Letter

__all__ = ["open_console", "shown"]

_HEADERS: Final = ("From", "To", "Cc", "Reply-To", "Subject", "Message-ID")
_RULE: Final = "-" * 72
_MOST_LINES: Final = 200


@asynccontextmanager
async def open_console(container: Container) -> AsyncIterator[MailTransport]:
    """Give the transport."""
    yield _Console()


class _Console:
    async def deliver(self, letter: Letter, /) -> Delivery:
        # In one piece, so that no line of the log stands in the middle.
        process_lines().write(f"{shown(letter)}\n".encode(), at_once=True)
        return Delivery()


def shown(letter: Letter) -> str:
    """Return a letter as a person reads it; nothing in it steers a terminal."""
    return "\n".join(("", _RULE, *_lines(letter), _RULE))


def _lines(letter: Letter) -> Iterator[str]:
    message = letter.parsed()
    for name in _HEADERS:
        if name in message:
            yield printable(f"{name}: {message[name]}")
    hidden = len(letter.recipients) - sum(
        len(message[name].addresses) for name in ("To", "Cc") if name in message
    )
    if hidden > 0:
        yield f"Bcc: {hidden} more"
    yield ""
    body = letter.text or letter.html
    lines = [printable(line) for line in body.splitlines()]
    yield from lines[:_MOST_LINES]
    if len(lines) > _MOST_LINES:
        yield f"... and {len(lines) - _MOST_LINES:,} more lines"
    if letter.text and letter.html:
        yield ""
        yield "(and the same as HTML)"
    for name, content in letter.attachments.items():
        yield textwrap.shorten(f"(attached: {printable(name)}, {len(content):,} bytes)", 100)
