"""Redirects: where a call is led on to, and what it takes along."""

from __future__ import annotations

from typing import Final

from ..library import httpx
from .errors import ExternalRefused
from .policy import host_of

__all__ = ["next_request"]

# What says something about the answer that is wanted and the body that is sent. All else may be a
# credential, by whatever name, and stays with the host it was given for.
_TAKEN_ALONG: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "connection",
        "content-encoding",
        "content-language",
        "content-length",
        "content-type",
        "host",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-unmodified-since",
        "range",
        "transfer-encoding",
        "user-agent",
    }
)


def next_request(response: httpx.Response, followed: int, limit: int) -> httpx.Request | None:
    """Return the request that an answer leads to, with what its host may see; None: to none.

    Args:
        response: The answer.
        followed: How many have led on before it.
        limit: How many may.

    Raises:
        ExternalRefused: It is not followed.
    """
    following = response.next_request
    if following is None:
        return None
    before, after = response.request.url, following.url
    if followed >= limit:
        raise ExternalRefused(
            f"{host_of(before)!r} leads on once more, after {limit} times",
            code="http.E010",
            hint="EXTERNAL_HTTP.max_redirects says how often it may",
        )
    if before.scheme == "https" and after.scheme == "http":
        raise ExternalRefused(
            f"{host_of(before)!r} leads from https to http",
            code="http.E009",
            hint="ask for the URL that it leads to, if that is meant",
        )
    if not _is_same_place(before, after):
        for name in [each for each in following.headers if each not in _TAKEN_ALONG]:
            del following.headers[name]
    return following


def _is_same_place(before: httpx.URL, after: httpx.URL) -> bool:
    """Return whether credentials for one URL are for the other one: it is the same, or safer."""
    if before.raw_host != after.raw_host:
        return False
    is_upgrade = before.scheme == "http" and after.scheme == "https"
    is_usual = before.port is None and after.port is None
    return (before.scheme, before.port) == (after.scheme, after.port) or (is_upgrade and is_usual)
