"""Visitor: who is shown the page, which is nobody but a browser on this machine."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

from ..welcome.answer import accepts_html

__all__ = ["is_here", "may_see"]

FORWARDING: Final = frozenset(
    {"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"}
)
"""Whoever sends one of these stands behind a proxy, and may be anywhere."""


def may_see(scope: Scope) -> bool:
    """Return whether a request comes from a browser on this machine, which shows it to nobody.

    The peer's own address counts. What a proxy tells of a client is not asked: a request that was
    passed on is refused, whoever passed it on. The host has to be this machine too, else a name
    that a stranger lets point here would let his page read the answer; and so would a page of
    another site that is allowed to read answers by CORS.
    """
    headers = Headers(scope=scope)
    client = scope.get("client")
    return (
        scope["type"] == "http"
        and client is not None
        and _is_loopback(client[0])
        and len(headers.getlist("host")) == 1
        and is_here(headers["host"])
        and not FORWARDING.intersection(headers)
        and not _is_read_by_another_site(headers)
        and accepts_html(", ".join(headers.getlist("accept")))
    )


def is_here(host: str) -> bool:
    """Return whether a Host header names this machine.

    >>> [is_here(host) for host in ("localhost:8000", "[::1]", "10.0.0.7", "127.0.0.1.evil.net")]
    [True, True, False, False]
    """
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    name = name.lower().removesuffix(".")
    return name == "localhost" or name.endswith(".localhost") or _is_loopback(name)


def _is_loopback(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def _is_read_by_another_site(headers: Mapping[str, str]) -> bool:
    """Return whether a script of another site asks; one that only leads here reads nothing."""
    is_strange = headers.get("sec-fetch-site") == "cross-site"
    return is_strange and headers.get("sec-fetch-mode") != "navigate"
