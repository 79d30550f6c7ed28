"""Private: the names of uvicorn's that our web sockets use and nobody has promised to keep."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, Final

__all__ = ["missing_names"]

ATTRIBUTES: Final = (
    "app", "close_sent", "close_timer", "config", "conn", "connections", "curr_msg_data_type",
    "disconnected", "frames", "handshake_complete", "handshake_initiated", "initial_response",
    "logger", "loop", "pending_ping_payload", "pong_timer", "queue", "read_paused", "tasks",
    "transport", "writable",
)  # fmt: skip
METHODS: Final = {
    "connection_lost": ["exc"],
    "connection_made": ["transport"],
    "data_received": ["data"],
    "handle_close": ["event"],
    "handle_connect": ["event"],
    "handle_cont": ["event"],
    "handle_events": [],
    "handle_parser_exception": [],
    "handle_ping": [],
    "keepalive_timeout": [],
    "pause_writing": [],
    "receive": [],
    "resume_writing": [],
    "run_asgi": [],
    "schedule_ping": [],
    "send": ["message"],
    "send_500_response": [],
    "send_receive_event_to_app": [],
    "shutdown": [],
    "stop_keepalive": [],
}
"""What is overridden or called, and the parameters after `self`."""


def missing_names() -> list[str]:
    """Return what the installed uvicorn does not have, or has otherwise, as `Class.name`."""
    try:
        from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
    except ImportError as error:
        return [str(error.name or error)]
    return list(_missing(WebSocketsSansIOProtocol))


def _missing(owner: Any) -> Iterator[str]:
    # What a constructor sets stands among the names of its code: nothing has to be made for this.
    set_at_start = owner.__init__.__code__.co_names
    for name in ATTRIBUTES:
        if name not in set_at_start:
            yield f"{owner.__name__}.{name}"
    for name, parameters in METHODS.items():
        method = getattr(owner, name, None)
        if not callable(method) or list(inspect.signature(method).parameters)[1:] != parameters:
            yield f"{owner.__name__}.{name}"
