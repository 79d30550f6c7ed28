"""Choosing: our web sockets, where the installed uvicorn is one that they know."""

from __future__ import annotations

import asyncio
import logging

import uvicorn

from ....conf import Settings
from .private import missing_names

__all__ = ["websocket_protocol_of"]

logger = logging.getLogger("fastforge.server")


def websocket_protocol_of(settings: Settings | None = None) -> type[asyncio.Protocol] | None:
    """Return what `uvicorn.Config(ws=...)` serves web sockets with: ours, by the terms of `SERVER`.

    ```python
    config = uvicorn.Config(app, ws=websocket_protocol_of())
    ```

    Surprises: with a uvicorn that has not the names which ours is built on, it is uvicorn's own
    (None where it has none), which no client that has stopped to read ever leaves; a warning says
    so.

    Args:
        settings: Whose terms; by default those of the project that the server runs, and where it
            runs none, uvicorn's options.
    """
    missing = missing_names()
    if missing:
        logger.warning(
            "uvicorn %s is not known here (no %s): nothing that SERVER says of web sockets holds,"
            " and one whose client reads nothing stays for ever",
            uvicorn.__version__,
            ", ".join(missing),
        )
        from uvicorn.protocols.websockets.auto import AutoWebSocketsProtocol

        # It is None where no library for web sockets is installed, which its type leaves out.
        return AutoWebSocketsProtocol  # type: ignore[return-value]
    from .protocol import WebSocketProtocol

    if settings is None:
        return WebSocketProtocol

    class WebSocketProtocolOfSettings(WebSocketProtocol):
        settings_given = settings

    return WebSocketProtocolOfSettings
