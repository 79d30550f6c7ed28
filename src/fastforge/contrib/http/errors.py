"""Errors: a service that cannot be reached, or is late, is httpx's error and has a status."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, ClassVar, Final

from ...exceptions import ForgeError
from ...lifecycle.breaker import BreakerOpen
from .library import httpx

__all__ = [
    "UpstreamAway",
    "UpstreamError",
    "UpstreamLate",
    "UpstreamRefused",
    "telling",
    "where_of",
]


class UpstreamError(ForgeError):
    """A call of another service has failed; it is one of httpx's errors as well."""

    exit_code = 1
    status: ClassVar[int] = 502


class UpstreamAway(UpstreamError):
    """The service cannot be reached, or breaks off: 502 where nobody handles it."""


class UpstreamLate(UpstreamError):
    """The service does not answer in time: 504 where nobody handles it."""

    status: ClassVar[int] = 504


class UpstreamRefused(BreakerOpen, UpstreamError, httpx.ConnectError):
    """The service was not asked: it was away when it was asked last. 503 where nobody handles it.

    It is raised where `HTTP.breaker` is set.
    """

    status: ClassVar[int] = 503


def where_of(request: httpx.Request) -> str:
    """Return what is asked of whom, without what may be secret."""
    return f"{request.method} {request.url.host}:{request.url.port or request.url.scheme}"


def _both(ours: type[UpstreamError], theirs: type[httpx.TransportError]) -> type[Any]:
    return type(theirs.__name__, (ours, theirs), {"__module__": __name__})


_OURS: Final = MappingProxyType(
    {
        theirs: _both(ours, theirs)
        for ours, kinds in {
            UpstreamLate: (
                httpx.ConnectTimeout,
                httpx.ReadTimeout,
                httpx.WriteTimeout,
                httpx.PoolTimeout,
            ),
            UpstreamAway: (
                httpx.ConnectError,
                httpx.ReadError,
                httpx.WriteError,
                httpx.RemoteProtocolError,
            ),
        }.items()
        for theirs in kinds
    }
)


@contextmanager
def telling(request: httpx.Request) -> Iterator[None]:
    """Turn an error of httpx into one of its own kind that says which service failed.

    Raises:
        UpstreamError: The service cannot be reached, or is late.
    """
    try:
        yield
    except httpx.TransportError as error:
        kind = _OURS.get(type(error))
        if kind is None:
            raise
        raise _told(kind, request, error) from error


def _told(kind: type[Any], request: httpx.Request, error: httpx.TransportError) -> Exception:
    where = where_of(request)
    if issubclass(kind, UpstreamLate):
        words, code = f"{where} did not answer in time ({kind.__name__})", "http.E002"
        hint = "see what keeps it busy, or give the call a `timeout` of its own"
    else:
        words, code = f"{where} cannot be reached ({kind.__name__}: {error})", "http.E001"
        hint = "check the address, and whether the service runs"
    told: Exception = kind(words, code=code, hint=hint)
    return told
