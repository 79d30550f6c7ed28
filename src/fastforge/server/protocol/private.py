"""Private: the names of uvicorn's that our protocol uses and nobody has promised to keep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

__all__ = ["missing_names"]

PROTOCOL_ATTRIBUTES: Final = (
    "access_log", "access_logger", "app_state", "client", "config", "cycle",
    "expect_100_continue", "flow", "headers", "loop", "parser", "pipeline", "scope", "server_state",
    "tasks", "transport",
)  # fmt: skip
PROTOCOL_METHODS: Final = (
    "_should_upgrade", "_start_asgi_task", "connection_lost", "connection_made", "data_received",
    "handle_websocket_upgrade", "on_body", "on_header", "on_headers_complete", "on_message_begin",
    "on_message_complete", "on_response_complete", "on_url", "shutdown",
)  # fmt: skip
CYCLE_ATTRIBUTES: Final = (
    "access_log", "chunked_encoding", "default_headers", "disconnected", "expected_content_length",
    "flow", "keep_alive", "logger", "message_event", "more_body", "on_response",
    "response_complete", "response_started", "scope", "transport", "waiting_for_100_continue",
)  # fmt: skip
CYCLE_METHODS: Final = ("receive", "run_asgi", "send", "send_500_response")
MODULE_NAMES: Final = ("HEADER_RE", "HEADER_VALUE_RE", "STATUS_LINE")
FLOW_ATTRIBUTES: Final = ("read_paused", "write_paused")
FLOW_METHODS: Final = ("resume_reading",)


def missing_names() -> list[str]:
    """Return the names that the installed uvicorn does not have, as `Class.name`."""
    try:
        from uvicorn.protocols.http import httptools_impl
        from uvicorn.protocols.http.flow_control import FlowControl
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
    except ImportError as error:
        return [str(error.name or error)]
    return [
        *(f"httptools_impl.{name}" for name in MODULE_NAMES if not hasattr(httptools_impl, name)),
        *_missing(HttpToolsProtocol, PROTOCOL_ATTRIBUTES, PROTOCOL_METHODS),
        *_missing(RequestResponseCycle, CYCLE_ATTRIBUTES, CYCLE_METHODS),
        *_missing(FlowControl, FLOW_ATTRIBUTES, FLOW_METHODS),
        *_unnamed(HttpToolsProtocol, "on_headers_complete", RequestResponseCycle.__name__),
    ]


def _missing(owner: Any, attributes: tuple[str, ...], methods: tuple[str, ...]) -> Iterator[str]:
    # What a constructor sets stands among the names of its code: nothing has to be made for this.
    set_at_start = owner.__init__.__code__.co_names
    for name in attributes:
        if name not in set_at_start:
            yield f"{owner.__name__}.{name}"
    for name in methods:
        if not callable(getattr(owner, name, None)):
            yield f"{owner.__name__}.{name}"


def _unnamed(owner: Any, method: str, name: str) -> Iterator[str]:
    # Whatever has this name where the method runs is what the method uses.
    code = getattr(getattr(owner, method, None), "__code__", None)
    if code is None or name not in code.co_names:
        yield f"{name} in {owner.__name__}.{method}"
