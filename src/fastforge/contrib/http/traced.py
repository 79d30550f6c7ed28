"""Traced: the span of a call, and the trace that it carries on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ...observability.context import request_id
from ...observability.tracing import Span, is_traced, span, trace_here
from .library import httpx

__all__ = ["ATTEMPT", "TracedCall", "call_span", "pass_request_id_on", "pass_trace_on"]

ATTEMPT: Final = "fastforge.attempt"
"""The extension of a request that says how often it was sent before."""
_REQUEST_ID: Final = "x-request-id"
_TRACEPARENT: Final = "traceparent"
_OURS: Final = "fastforge.traceparent"
_CLIENT_ERROR: Final = 400


class TracedCall:
    """The span of one call; nothing where nobody traces.

    Args:
        current: The span.
    """

    __slots__ = ("_current",)

    def __init__(self, current: Span | None) -> None:
        self._current = current

    def answered(self, response: httpx.Response) -> None:
        """Tell how the call was answered."""
        if self._current is not None:
            status = response.status_code
            self._current.set_attribute("http.response.status_code", status)
            if status >= _CLIENT_ERROR:
                self._current.fail(str(status))


_UNTRACED: Final = TracedCall(None)


@contextmanager
def call_span(request: httpx.Request) -> Iterator[TracedCall]:
    """Record a call until its answer begins: each one, where it is led from one to the next."""
    if not is_traced():
        yield _UNTRACED
        return
    url = request.url
    known: dict[str, str | int] = {
        "http.request.method": request.method,
        "server.address": url.host,
        "server.port": url.port or (443 if url.scheme == "https" else 80),
        "url.full": str(url.copy_with(userinfo=b"", fragment=None)),
    }
    if ATTEMPT in request.extensions:
        known["http.request.resend_count"] = request.extensions[ATTEMPT]
    with span(request.method, kind="client", attributes=known) as current:
        yield TracedCall(current)


def pass_trace_on(request: httpx.Request) -> None:
    """Give a call the trace that it is a part of, unless its caller has given it one."""
    given = request.headers.get(_TRACEPARENT)
    here = trace_here()
    # One that is led elsewhere is a copy, with what was given to the first.
    if here is None or given not in (None, request.extensions.get(_OURS)):
        return
    request.headers[_TRACEPARENT] = request.extensions[_OURS] = here


async def pass_request_id_on(request: httpx.Request) -> None:
    """Give a call the id of the request or job that makes it, unless its caller has given one."""
    current = request_id.get()
    if current is not None and _REQUEST_ID not in request.headers:
        request.headers[_REQUEST_ID] = current
