"""Responses: an error answer that is written in the format of the request it answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ...observability.context import request_id
from .problems import FieldError, Problem
from .resolution import FORMATS, ErrorFormats

__all__ = ["ProblemResponse", "problem_response"]


class ProblemResponse(Response):
    """The answer to a request that has failed.

    What it looks like is decided when it is sent, by the path of the request and the formats of
    the application; until then its body is that of RFC 9457. Headers and cookies that are set
    on it stay.

    Args:
        problem: What there is to say.
        formats: Those of the application, where its scope does not have them.
    """

    def __init__(self, problem: Problem, formats: ErrorFormats | None = None) -> None:
        if problem.request_id is None:
            problem = replace(problem, request_id=request_id.get())
        self.problem = problem
        self.formats = formats
        standard = _standard().default
        media_type = standard.format.media_type
        headers = dict(problem.headers)
        super().__init__(standard.write(problem), problem.status, headers, media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = self.problem
        if problem.request_id is None:
            problem = replace(problem, request_id=scope.get("state", {}).get("request_id"))
        formats: ErrorFormats = self.formats or scope.get(FORMATS) or _standard()
        body, media_type = formats.write(problem, scope)
        self.headers["content-type"] = media_type
        self.headers["content-length"] = str(len(body))
        # Not every server leaves out the body of an answer to HEAD.
        self.body = b"" if scope.get("method") == "HEAD" else body
        await super().__call__(scope, receive, send)


@cache
def _standard() -> ErrorFormats:
    return ErrorFormats()


def problem_response(
    status: int,
    title: str = "",
    detail: str = "",
    *,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
    errors: Iterable[FieldError] = (),
    extra: Any = None,
) -> Response:
    """Return an error answer with the id of the request that is answered.

    It looks like every other error answer there: as RFC 9457 has it, or as the `error_format` of
    the app or prefix says. It is a plain Starlette response: return it from a handler, or call it
    as an ASGI application from a middleware.

    ```python
    return problem_response(409, detail="this order has been paid", code="orders.paid")
    ```

    Args:
        status: The HTTP status, 400 to 599.
        title: What the status means; its usual phrase by default.
        detail: What went wrong this time, for whoever sent the request.
        code: A stable word for programs.
        headers: More headers.
        errors: What is wrong with each part of the request.
        extra: What else there is to say: any JSON value.
    """
    problem = Problem(
        status=status,
        title=title,
        detail=detail,
        code=code,
        errors=tuple(errors),
        headers=headers or {},
        extra=extra,
    )
    return ProblemResponse(problem)
