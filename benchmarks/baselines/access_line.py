"""A pure-ASGI layer that writes one structlog line a request, as careful teams write it today."""

from __future__ import annotations

import logging
import time
import uuid
from typing import Any, TextIO

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["AccessLine", "configure"]

logger = structlog.get_logger()


def configure(file: TextIO) -> None:
    """Let structlog write JSON lines, with the options that its documentation recommends."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=file),
        cache_logger_on_first_use=True,
    )


class AccessLine:
    """Gives every request an id, and writes what became of it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id, started, status = str(uuid.uuid4()), time.perf_counter(), 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await self.app(scope, receive, send_with_id)
        except Exception as error:
            self._write(scope, status, started, failure=type(error).__name__)
            raise
        else:
            self._write(scope, status, started)

    def _write(self, scope: Scope, status: int, started: float, **more: Any) -> None:
        route, client = scope.get("route"), scope.get("client")
        logger.info(
            "request",
            method=scope["method"],
            path=scope["path"],
            route=getattr(route, "path", None),
            status_code=status,
            duration_ms=round((time.perf_counter() - started) * 1000, 3),
            client=client[0] if client else None,
            **more,
        )
