"""Frame: one text for clients, made once for however many of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

__all__ = ["Frame", "control", "message_frame"]

_FIN_TEXT: Final = b"\x81"
_SHORT: Final = 126
_MEDIUM: Final = 65_536


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
        """The bytes of an unmasked, uncompressed frame, as RFC 6455 5.2 has it."""
        if self._on_wire is None:
            self._on_wire = _header(len(self.data)) + self.data
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


def _header(size_bytes: int) -> bytes:
    if size_bytes < _SHORT:
        return _FIN_TEXT + size_bytes.to_bytes(1, "big")
    if size_bytes < _MEDIUM:
        return _FIN_TEXT + b"\x7e" + size_bytes.to_bytes(2, "big")
    return _FIN_TEXT + b"\x7f" + size_bytes.to_bytes(8, "big")
