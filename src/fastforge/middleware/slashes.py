"""Slashes: the router's redirect from `/orders` to `/orders/`, or back, names no host."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from starlette.types import Scope

from .policy import Header

__all__ = ["REDIRECTS", "staying_here"]

REDIRECTS: Final = 307
"""The status of such a redirect."""

LOCATION: Final = b"location"
HOST: Final = b"host"
_KEPT: Final = ":/%#?=@[]!$&'()*+,;"
_ESCAPED: Final = str.maketrans({"?": "%3F", "#": "%23", "\\": "%5C"})


def staying_here(headers: list[Header], scope: Scope) -> list[Header]:
    """Return headers whose Location has no host, if it leads to the same path with or without `/`.

    Starlette writes the whole URL, with the host and the scheme as they came in: whoever may
    choose the host, or a proxy that has another one or ends the encryption, would lead the client
    away.

    Args:
        headers: Those of an answer with the status 307.
        scope: The request's.
    """
    location = next((value for name, value in headers if name == LOCATION), b"")
    scheme, _, rest = location.decode("latin-1").partition("://")
    host, slash, path = rest.partition("/")
    if scheme != scope.get("scheme", "http") or host.lower() != _host_of(scope):
        return headers
    target = slash + path
    if target.partition("?")[0] != _other_path(scope["path"]):
        return headers
    # A path that begins with two slashes would be read as a host.
    stays = "/." + target if target.startswith("//") else target
    changed = (LOCATION, stays.encode("latin-1"))
    return [changed if header[0] == LOCATION else header for header in headers]


def _host_of(scope: Scope) -> str:
    hosts = (value for name, value in scope.get("headers", ()) if name == HOST)
    return next(hosts, b"").decode("latin-1").lower()


def _other_path(path: str) -> str:
    """Return where the router leads to from a path, as it stands in a URL."""
    other = path.rstrip("/") if path.endswith("/") else f"{path}/"
    return quote(other.translate(_ESCAPED), safe=_KEPT)
