"""Protocol: what a connection may take of a server, in bytes and in seconds.

Uvicorn's protocol lets a client send headers without end, or a byte a minute for ever. Ours is the
same protocol with limits; no flag of uvicorn's has them. So it is with web sockets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .choosing import protocol_of
from .websocket import websocket_protocol_of

if TYPE_CHECKING:
    from .websocket.protocol import WebSocketProtocol as WebSocketProtocol

__all__ = ["WebSocketProtocol", "protocol_of", "websocket_protocol_of"]


def __getattr__(name: str) -> object:
    # For `uvicorn --ws`; that of an uvicorn which ours does not know is its own.
    if name == "WebSocketProtocol":
        return websocket_protocol_of()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
