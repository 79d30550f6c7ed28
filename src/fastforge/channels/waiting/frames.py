"""Frame: one text for clients, made once for however many of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ...transport import text_frame

__all__ = ["Frame", "control", "message_frame"]


class Frame:
    """A JSON text on its way to clients.

    Args:
        data: The JSON.
        id: The id of the message in it; 0 for what has none.
        key: What makes it worthless once another with the same key waits.
    """

    __slots__ = ("_on_wire", "_text", "data", "id", "key")

    def __init__(self, data: bytes, id: int = 0, key: object = None) -> None:
        self.data = data
        self.id = id
        self.key = key
        self._text: str | None = None
        self._on_wire: bytes | None = None

    def __len__(self) -> int:
        return len(self.data)

    @property
    def text(self) -> str:
        """What an ASGI server is given."""
        if self._text is None:
            self._text = self.data.decode()
        return self._text

    @property
    def on_wire(self) -> bytes:
        """What a server of ours writes."""
        if self._on_wire is None:
            self._on_wire = text_frame(self.data)
        return self._on_wire


def control(kind: str, **fields: Any) -> Frame:
    """Return a frame of the protocol itself; what is None is left out."""
    told: Mapping[str, Any] = {name: value for name, value in fields.items() if value is not None}
    return Frame(orjson.dumps({"type": kind, **told}))


def message_frame(head: bytes, data: bytes, *, id: int = 0, key: object = None) -> Frame:
    """Return the frame of a message.

    Args:
        head: The beginning for its room, as `Room` has it.
        data: The JSON of the message.
        id: Its id; 0 for one that is said to one client.
        key: What it replaces while it waits.
    """
    numbered = b'"id":%d,' % id if id else b""
    return Frame(b'%b%b"data":%b}' % (head, numbered, data), id, key)
