"""Error answers: RFC 9457 problems, and which of our own errors become one."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response

from .._utils import failing_line
from ..exceptions import ForgeError, ResourceUnavailable
from ..observability.context import request_id

__all__ = ["add_exception_handlers", "problem_response", "status_of"]

logger = logging.getLogger("fastforge.web")


class _ProblemResponse(JSONResponse):
    media_type = "application/problem+json"


def problem_response(
    status: int,
    title: str = "",
    detail: str = "",
    *,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a problem, as RFC 9457 has it, with the id of the request that is answered.

    It is a plain Starlette response: return it from a handler, or call it as an ASGI
    application from a middleware.

    ```python
    return problem_response(409, detail="this order has been paid", code="orders.paid")
    ```

    Args:
        status: The HTTP status, 400 to 599.
        title: What the status means; its usual phrase by default.
        detail: What went wrong this time, for whoever sent the request.
        code: A stable word for programs.
        headers: More headers.
    """
    members: dict[str, Any] = {
        "type": "about:blank",
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id.get(),
    }
    present = {name: value for name, value in members.items() if value not in (None, "")}
    return _ProblemResponse(present, status, headers=dict(headers or {}))


def add_exception_handlers(app: FastAPI) -> None:
    """Answer errors of the framework that have an HTTP meaning; a handler of the user's wins."""
    app.exception_handlers.setdefault(ForgeError, _forge_error)


def status_of(error: ForgeError) -> int | None:
    """Return the HTTP status that an error's class gives by an attribute `status`, if any."""
    status: int | None = getattr(error, "status", None)
    return 503 if status is None and isinstance(error, ResourceUnavailable) else status


async def _forge_error(connection: HTTPConnection, error: Exception) -> Response:
    if not isinstance(error, ForgeError):
        raise error
    status = status_of(error)
    if status is None or not isinstance(connection, Request):
        # Servers log such a failure with its traceback, which ends with the error's own line: let
        # that one name the place in the user's code.
        error.where = error.where or failing_line(error)
        raise error
    if status < 500:
        return problem_response(status, detail=error.message, code=error.code)
    # The message names hosts and files of ours: it is for the log, the code is for the client.
    logger.error("%s", error)
    return problem_response(status, code=error.code)
