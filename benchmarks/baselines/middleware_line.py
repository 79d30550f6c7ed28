"""The access log of most projects: `@app.middleware("http")` and structlog as it is installed."""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable
from typing import TextIO

import structlog
from fastapi import FastAPI, Request, Response

__all__ = ["add_access_line", "configure"]

logger = structlog.get_logger()


def configure(file: TextIO) -> None:
    """Leave structlog as it is, but for the place that its lines go to."""
    structlog.reset_defaults()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file))


def add_access_line(app: FastAPI) -> None:
    """Give every request an id, and write what became of it."""

    @app.middleware("http")
    async def access_line(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        request_id, started = str(uuid.uuid4()), time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = await call_next(request)
        response.headers["x-request-id"] = request_id
        logger.info(
            "request",
            method=request.method,
            path=request.url.path,
            status_code=response.status_code,
            duration_ms=round((time.perf_counter() - started) * 1000, 3),
        )
        return response
