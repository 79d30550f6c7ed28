"""Terms: what all web sockets of one server may take, in bytes and in seconds."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import uvicorn

from ....conf import Settings
from ....core.settings import Server
from ....middleware.edge import CONTAINER

if TYPE_CHECKING:
    from uvicorn.server import ServerState

    from ....lifecycle import Container

__all__ = ["Terms", "options_of", "terms_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds for each web socket of a server.

    Args:
        config: Uvicorn's, with what `SERVER` says in place of its own options for web sockets.
        inbox_bytes: How much of what a client has sent may be unread.
        send_timeout_s: How long a client may take nothing; 0: for ever.
        close_s: How long the end of a socket may take.
        write_buffer_bytes: How much may wait in this process until `send` waits.
        send_buffer_bytes: How much may wait in the kernel; 0: what the system thinks right.
        spread_s: Over how long sockets are closed where the server closes all of them at once.
    """

    config: uvicorn.Config
    inbox_bytes: int
    send_timeout_s: float
    close_s: float
    write_buffer_bytes: int
    send_buffer_bytes: int
    spread_s: float

    @classmethod
    def of(cls, settings: Settings | None, config: uvicorn.Config) -> Terms:
        """Return the terms of a project's settings.

        Args:
            settings: None where no project is served: what uvicorn was told then holds, and the
                defaults of `SERVER` for what it has no option for.
            config: Uvicorn's.
        """
        server = Server() if settings is None else settings.section(Server)
        return cls(
            config=config if settings is None else _with_options(config, server),
            inbox_bytes=server.websocket_inbox_bytes,
            send_timeout_s=server.websocket_send_timeout_s,
            close_s=server.websocket_close_s,
            write_buffer_bytes=server.websocket_write_buffer_bytes,
            send_buffer_bytes=server.websocket_send_buffer_bytes,
            spread_s=0 if settings is None else server.spread_in(settings.environment),
        )


def options_of(server: Server) -> dict[str, Any]:
    """Return what uvicorn has options of its own for, as arguments of `uvicorn.Config`."""
    return {
        "ws_max_size": server.websocket_max_message_bytes,
        "ws_ping_interval": server.websocket_ping_s or None,
        "ws_ping_timeout": server.websocket_pong_s or None,
        "ws_per_message_deflate": server.websocket_compression,
    }


def _with_options(config: uvicorn.Config, server: Server) -> uvicorn.Config:
    changed = copy.copy(config)
    for name, value in options_of(server).items():
        setattr(changed, name, value)
    return changed


_terms: WeakKeyDictionary[ServerState, Terms] = WeakKeyDictionary()


def terms_of(
    server_state: ServerState,
    app_state: Mapping[str, Any],
    config: uvicorn.Config,
    settings: Settings | None,
) -> Terms:
    """Return the terms of a server's web sockets; they are made for the first one.

    Args:
        server_state: What all connections of the server share.
        app_state: What the application's lifespan has left: the running project, if it is one.
        config: The server's.
        settings: Those that were given in place of the project's.
    """
    terms = _terms.get(server_state)
    if terms is None:
        container: Container | None = app_state.get(CONTAINER)
        if settings is None and container is not None:
            settings = container.settings
        terms = _terms[server_state] = Terms.of(settings, config)
    return terms
