"""Policy: what the edge of an application allows and adds, decided once when it is built."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol, TypeAlias

from starlette.types import ASGIApp

from ..observability.access import AccessLog
from .origins import SocketOrigins

__all__ = ["EdgePolicy", "Header", "Refuse"]

Header: TypeAlias = tuple[bytes, bytes]
"""One header as ASGI has it; the name in lower case."""
ClientOf: TypeAlias = Callable[[str, Sequence[bytes], Sequence[bytes]], tuple[str, str] | None]


class Refuse(Protocol):
    """Makes the answer to a request that goes no further."""

    def __call__(
        self, status: int, *, detail: str, code: str, headers: Mapping[str, str]
    ) -> ASGIApp: ...


def _refuse_plainly(status: int, *, detail: str, code: str, headers: Mapping[str, str]) -> ASGIApp:
    from starlette.responses import PlainTextResponse  # a project's own refusals need it not

    text = f"{detail} [{code}]" if code else HTTPStatus(status).phrase
    return PlainTextResponse(f"{text}\n", status, headers)


def _unlimited(endpoint: object) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgePolicy:
    """The rules of one edge; the default is one that allows everything and adds nothing.

    Args:
        allows_host: Says whether a Host header is answered; None: every one is, and so is a
            request without one or with several.
        allows_socket: Says whether a page of an origin may open a socket under a host; None: every
            one may. Whoever sends no Origin is no browser, and not asked about.
        client_of: Gives the client's address and scheme (empty: as it is) that trusted proxies
            tell, and None when the peer is none of them; it is asked with the peer's address
            (empty for a Unix socket) and the values of X-Forwarded-For and X-Forwarded-Proto.
            None: no proxy is trusted.
        response_headers: Set on each answer that does not have them.
        https_headers: The same for answers over HTTPS, besides `response_headers`.
        around: Puts a layer around the application that sees every answer of it, that of a
            failure included: the rules for other origins. None: there is none.
        time_limit_of: Gives the seconds that an endpoint (None before one is found) has until its
            answer begins; None: no limit.
        shortest_time_limit_s: The shortest of all limits, when the edge looks first; None: never.
        concurrency_limit: How many requests are worked on at the same time; None: any number.
        max_headers: How many headers a request may have.
        max_header_bytes: The size of all headers of a request together.
        refuse: Makes the answer to a request that goes no further.
        probes: What answers these paths, in front of all rules and outside all limits.
        access_log: Where a line is written for each request; None: nowhere.
    """

    allows_host: Callable[[bytes], bool] | None = None
    allows_socket: SocketOrigins | None = None
    client_of: ClientOf | None = None
    response_headers: tuple[Header, ...] = ()
    https_headers: tuple[Header, ...] = ()
    around: Callable[[ASGIApp], ASGIApp] | None = None
    time_limit_of: Callable[[Any], float | None] = _unlimited
    shortest_time_limit_s: float | None = None
    concurrency_limit: int | None = None
    max_headers: int = 100
    max_header_bytes: int = 32 * 1024
    refuse: Refuse = _refuse_plainly
    probes: Mapping[str, ASGIApp] = field(default_factory=dict)
    access_log: AccessLog | None = None
