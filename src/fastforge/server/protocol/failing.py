"""Failing: an application that fails behind the end of its answer leaves the connection alone."""

from __future__ import annotations

from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["failing_apart"]


def failing_apart(cycle: Any, app: ASGIApp) -> Any:
    """Return an application whose failures behind its answer are logged, and nothing more.

    An unhandled exception goes on when its 500 has been given, and so does that of a background
    task. uvicorn closes the connection then, of which the answer has said nothing: the client's
    next request, perhaps on its way, would be reset.

    Args:
        cycle: The request, as uvicorn has it.
        app: What answers it.
    """

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except Exception:
            if not cycle.response_complete:
                raise
            cycle.logger.exception("Exception in ASGI application\n")

    return run
