"""Origins: whether the page that sends a request is one of ours, by what browsers say of it."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum
from typing import Final
from urllib.parse import urlsplit

from starlette.types import Scope

__all__ = ["SAFE_METHODS", "Sender", "sender_of"]

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class Sender(Enum):
    """Who has sent a request, as far as its headers tell."""

    OURS = "ours"
    FOREIGN = "foreign"
    UNKNOWN = "unknown"


def sender_of(scope: Scope, trusted: Collection[str]) -> Sender:
    """Return whose page has sent a request.

    `Sec-Fetch-Site` is believed first: browsers send it over HTTPS and to a laptop's own address,
    and no page can change it. Over plain HTTP there is `Origin`. Without both it was an old
    browser, or none.

    Args:
        scope: That of the request or socket.
        trusted: Other origins whose pages are ours.
    """
    site = _header(scope, b"sec-fetch-site")
    origin = _header(scope, b"origin")
    if origin in trusted:
        return Sender.OURS
    if site is not None:
        # `none`: typed by the user, or opened from a bookmark; no page has sent it.
        return Sender.OURS if site in ("same-origin", "none") else Sender.FOREIGN
    if origin is None or origin == "null":
        return Sender.UNKNOWN
    return Sender.OURS if _is_own(scope, origin) else Sender.FOREIGN


def _is_own(scope: Scope, origin: str) -> bool:
    """Return whether an origin is that of the address which was asked for."""
    scheme = scope.get("scheme", "http").replace("ws", "http")
    try:
        theirs = urlsplit(origin)
        asked = urlsplit(f"//{_header(scope, b'host') or ''}")
        # Behind a proxy that we were not told of the page came over HTTPS, and we do not see it.
        if not theirs.hostname or (scheme == "https" and theirs.scheme != "https"):
            return False
        ports = _DEFAULT_PORTS.get(theirs.scheme)
        return (theirs.hostname, theirs.port or ports) == (asked.hostname, asked.port or ports)
    except ValueError:  # a port that is none, half an IPv6 address
        return False


def _header(scope: Scope, wanted: bytes) -> str | None:
    """Return the value of a header; of one that is there twice nothing that anybody trusts."""
    values = [value for name, value in scope["headers"] if name == wanted]
    if not values:
        return None
    return values[0].decode("latin-1").strip() if len(values) == 1 else "several"
