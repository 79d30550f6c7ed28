"""Refusals: what a connection is told that goes no further, and the line about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import orjson

from ...asgi.policy import response_headers
from ...conf import Settings
from ...middleware.entrance import too_many_headers
from ...middleware.policy import Header
from ...web.errors.problems import Problem, problem_details
from ...web.settings import Security
from .limits import Limits

__all__ = ["MALFORMED", "OTHER_HOST", "WRONG_HOST", "Refusal", "Refusals"]

CONNECTION: Final = b"connection"
MEDIA_TYPE: Final = b"application/problem+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a request goes no further.

    Args:
        status: The status of the answer.
        detail: What is wrong, for whoever sent it. It repeats nothing that was sent.
        code: A stable word for programs.
    """

    status: int
    detail: str
    code: str


MALFORMED: Final = Refusal(status=400, detail="this is no valid HTTP request", code="server.E020")
WRONG_HOST: Final = Refusal(
    status=400, detail="one Host header is needed, with a valid host", code="middleware.E002"
)
OTHER_HOST: Final = Refusal(
    status=400, detail="the URL names another host than the Host header", code="server.E021"
)


class Refusals:
    """The refusals that depend on the settings, and the answers that they are sent as.

    Args:
        limits: The limits of connections.
        settings: The project's; they give the headers that every answer of it has.
    """

    def __init__(self, limits: Limits, settings: Settings | None) -> None:
        self._headers: tuple[Header, ...] = ()
        if settings is not None:
            self._headers = response_headers(settings.section(Security))
        detail, code = too_many_headers(limits.max_headers, limits.max_header_bytes)
        self.large_head = Refusal(status=431, detail=detail, code=code)
        self.long_url = Refusal(
            status=414,
            detail=f"a URL may have {limits.max_url_bytes} bytes",
            code="server.E022",
        )
        self.slow_head = Refusal(
            status=408,
            detail=f"the headers did not come within {limits.header_timeout_s:g} s",
            code="server.E023",
        )
        self.slow_body = Refusal(status=408, detail="the body comes too slowly", code="server.E024")

    def answer(
        self, refusal: Refusal, *, request_id: str, default_headers: Iterable[Header]
    ) -> bytes:
        """Return the bytes of an answer, after which the connection ends.

        Args:
            refusal: What to say.
            request_id: The id of the request.
            default_headers: What the server adds to every answer.
        """
        problem = Problem(
            status=refusal.status,
            detail=refusal.detail,
            code=refusal.code,
            request_id=request_id,
        )
        body = orjson.dumps(problem_details(problem))
        headers = [
            *(header for header in default_headers if header[0] != CONNECTION),
            (b"content-type", MEDIA_TYPE),
            (b"content-length", str(len(body)).encode()),
            (CONNECTION, b"close"),
            *self._headers,
            (b"x-request-id", request_id.encode()),
        ]
        lines = [f"HTTP/1.1 {problem.status} {problem.title}".encode()]
        lines += [name + b": " + value for name, value in headers]
        return b"\r\n".join((*lines, b"", body))
