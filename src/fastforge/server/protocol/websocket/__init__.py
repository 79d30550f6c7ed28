"""WebSocket: a socket that ends when it should, whatever its client and its handler do.

Uvicorn's protocol never leaves a client that has stopped to read, loses a healthy one whose
message nobody receives, and ends a socket without a word where the handler returns or fails.
"""

from .choosing import websocket_protocol_of

__all__ = ["websocket_protocol_of"]
