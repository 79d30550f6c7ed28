"""Error answers: what becomes of exceptions that nobody has handled."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from http.client import responses
from typing import Any, Final, Protocol, TypeGuard
from urllib.parse import parse_qs

from fastapi import FastAPI
from fastapi.exception_handlers import (
    http_exception_handler,
    request_validation_exception_handler,
    websocket_request_validation_exception_handler,
)
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from pydantic_core import to_jsonable_python
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.status import (
    WS_1008_POLICY_VIOLATION,
    WS_1011_INTERNAL_ERROR,
    WS_1013_TRY_AGAIN_LATER,
)
from starlette.types import ASGIApp, Scope
from starlette.websockets import WebSocket, WebSocketState

from ..._utils import failing_line
from ...exceptions import ForgeError, ResourceUnavailable
from ...observability.access import FAILURE
from .bodies import BodyTooLarge
from .problems import Problem
from .resolution import ErrorFormats
from .responses import ProblemResponse
from .validation import Sent, declared_names, field_errors

__all__ = [
    "add_exception_handlers",
    "close_code_of",
    "detail_of",
    "headers_of",
    "refusal",
    "status_of",
]

logger = logging.getLogger("fastforge.web")

_STOCK: Final[Mapping[type[Exception], object]] = {
    HTTPException: http_exception_handler,
    RequestValidationError: request_validation_exception_handler,
    WebSocketRequestValidationError: websocket_request_validation_exception_handler,
}


class FailurePage(Protocol):
    """Answers a failure in place of a problem, for whom it is made."""

    async def answer(
        self, request: Request, error: Exception, *, status: int, headers: Mapping[str, str]
    ) -> Response | None: ...


def add_exception_handlers(
    app: FastAPI, formats: ErrorFormats | None = None, *, page: FailurePage | None = None
) -> None:
    """Let an application answer errors as problems; a handler of the user's wins.

    Args:
        app: The application. Handlers that are set on it later win as well.
        formats: What its error answers look like.
        page: What a developer's browser is shown of a failure.
    """
    handlers = _Handlers(formats or ErrorFormats(), page)
    own: dict[type[Exception], Any] = {
        HTTPException: handlers.http_error,
        RequestValidationError: handlers.invalid_request,
        WebSocketRequestValidationError: handlers.invalid_socket,
        ForgeError: handlers.forge_error,
    }
    present = app.exception_handlers
    for kind, stock in _STOCK.items():
        if present.get(kind, stock) is stock:
            present[kind] = own[kind]
    present.setdefault(ForgeError, own[ForgeError])
    if 500 not in present:
        present.setdefault(Exception, handlers.failure)


def refusal(formats: ErrorFormats) -> Callable[..., ASGIApp]:
    """Return what makes the answers to requests that are refused before any handler.

    Args:
        formats: What the error answers of the application look like.
    """

    def refuse(
        status: int, *, detail: str = "", code: str = "", headers: Mapping[str, str] | None = None
    ) -> ASGIApp:
        problem = Problem(
            status=status,
            detail=detail,
            code=code,
            headers=headers or {},
        )
        return ProblemResponse(problem, formats)

    return refuse


def status_of(error: ForgeError) -> int | None:
    """Return the HTTP status that an error's class gives by an attribute `status`, if any."""
    status: int | None = getattr(error, "status", None)
    return 503 if status is None and isinstance(error, ResourceUnavailable) else status


def detail_of(error: ForgeError) -> str:
    """Return what a client is told of an error.

    The message of one that is not the client's names hosts and files of ours: it is for the log.
    A class may have other words for the client, by an attribute `detail`.
    """
    is_the_clients = (status_of(error) or 500) < 500
    return error.message if is_the_clients else getattr(error, "detail", "")


def headers_of(error: ForgeError) -> dict[str, str]:
    """Return those that an error's class names by an attribute `headers`, and `Retry-After`.

    The latter where it says when by an attribute `retry_after_s`.
    """
    headers = dict[str, str](getattr(error, "headers", {}))
    retry_after_s: int | None = getattr(error, "retry_after_s", None)
    return headers if retry_after_s is None else {**headers, "Retry-After": str(retry_after_s)}


class _Handlers:
    """What an application does with exceptions, in the formats that hold for it."""

    def __init__(self, formats: ErrorFormats, page: FailurePage | None) -> None:
        self.formats = formats
        self.page = page
        self._declared: dict[int, tuple[object, frozenset[str]]] = {}

    async def http_error(self, connection: HTTPConnection, error: HTTPException) -> Response | None:
        status = error.status_code
        if _is_answered_socket(connection):
            await _close(connection, status)
            return None
        _note(connection, error, status)
        if isinstance(connection, Request) and status < 400:  # some of these have no body
            return await http_exception_handler(connection, error)
        return self._answer(_problem_of(error))

    async def invalid_request(self, request: Request, error: RequestValidationError) -> Response:
        declared = self._names(request.scope)
        headers = request.headers.values()
        parts = {
            "body": error.body,
            "query": parse_qs(request.url.query, keep_blank_values=True),
            "path": request.path_params,
            "header": headers,
            "cookie": headers,
        }
        found = field_errors(error.errors(), declared, Sent(parts, declared))
        return self._answer(Problem(status=422, detail=_INVALID, errors=tuple(found)))

    async def invalid_socket(
        self, socket: WebSocket, error: WebSocketRequestValidationError
    ) -> None:
        # Before the handshake is accepted no client is told a reason, only a status.
        await socket.close(WS_1008_POLICY_VIOLATION, "the request is not valid")

    async def forge_error(self, connection: HTTPConnection, error: ForgeError) -> Response | None:
        status = status_of(error)
        if status is None:
            # Servers log such a failure with its traceback, which ends with the error's own
            # line: let that one name the place in the user's code.
            error.where = error.where or failing_line(error)
            raise error
        if status >= 500:
            logger.error("%s", error)
        _note(connection, error, status)
        if _is_answered_socket(connection):
            await _close(connection, status)
            return None
        detail, headers = detail_of(error), headers_of(error)
        if status >= 500:
            page = await self._page(connection, error, status, headers)
            if page is not None:
                return page
        return self._answer(Problem(status=status, detail=detail, code=error.code, headers=headers))

    async def failure(self, request: Request, error: Exception) -> Response:
        """Answer what nobody expected. Starlette raises it again, for the server to log it."""
        if isinstance(error, ClientDisconnect):
            # Nobody reads it, and we are not to blame: as FastAPI says of half a body.
            return self._answer(Problem(status=400))
        page = await self._page(request, error, 500, {})
        if page is not None:
            return page
        if isinstance(error, ForgeError):
            return self._answer(Problem(status=500, code=error.code, detail=detail_of(error)))
        return self._answer(Problem(status=500))

    async def _page(
        self,
        connection: HTTPConnection,
        error: Exception,
        status: int,
        headers: Mapping[str, str],
    ) -> Response | None:
        if self.page is None or not isinstance(connection, Request):
            return None
        return await self.page.answer(connection, error, status=status, headers=headers)

    def _answer(self, problem: Problem) -> Response:
        return ProblemResponse(problem, self.formats)

    def _names(self, scope: Scope) -> frozenset[str]:
        # Of the inclusion, where there is one: it may bring dependencies of its own.
        route = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
        if id(route) not in self._declared:
            # With the route itself, so that no other is ever found under its id.
            self._declared[id(route)] = route, declared_names(route)
        return self._declared[id(route)][1]


def _note(connection: HTTPConnection, error: Exception, status: int) -> None:
    """Leave the reason of a failure for the line of the request."""
    if status >= 500:
        connection.scope.setdefault("state", {})[FAILURE] = error


def _is_answered_socket(connection: HTTPConnection) -> TypeGuard[WebSocket]:
    """Return whether it is too late to answer the handshake of a socket."""
    return (
        isinstance(connection, WebSocket)
        and connection.application_state is not WebSocketState.CONNECTING
    )


async def _close(socket: WebSocket, status: int) -> None:
    if socket.application_state is WebSocketState.CONNECTED:
        await socket.close(close_code_of(status))


def close_code_of(status: int) -> int:
    """Return the code with which a socket is closed where a request would have had a status."""
    if status == 503:
        return WS_1013_TRY_AGAIN_LATER
    return WS_1011_INTERNAL_ERROR if status >= 500 else WS_1008_POLICY_VIOLATION


_INVALID: Final = "the request is not valid"


def _problem_of(error: HTTPException) -> Problem:
    """Return what an HTTPException says; a text is the detail, any other value stands beside."""
    detail: Any = error.detail
    text = detail if isinstance(detail, str) else ""
    problem = Problem(
        status=error.status_code,
        detail=text,
        code=error.code if isinstance(error, BodyTooLarge) else None,
        headers=error.headers or {},
        extra=None if isinstance(detail, str) else to_jsonable_python(detail, fallback=str),
    )
    # Where no detail was given, Starlette puts the phrase of the status, which the title says.
    is_phrase = text in (problem.title, responses.get(problem.status))
    return replace(problem, detail="") if is_phrase else problem
