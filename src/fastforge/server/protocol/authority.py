"""Authority: which server a request is meant for, as its URL and its Host header have it."""

from __future__ import annotations

from typing import Any, Final

import httptools

from ...middleware.hosts import AllowedHosts

__all__ = ["is_valid_host", "names_other_host"]

DEFAULT_PORTS: Final = {b"http": 80, b"https": 443}

is_valid_host: Final = AllowedHosts(["*"])
"""Says whether a Host header has the form of one."""


def names_other_host(url: bytes, host: bytes) -> bool:
    """Return whether an absolute URL is for another server than the Host header names.

    Args:
        url: The URL as it was sent; one that is only a path is for any server.
        host: The value of the Host header.

    Raises:
        httptools.HttpParserInvalidURLError: It is no URL.
    """
    parsed: Any = httptools.parse_url(url)
    if parsed.host is None:
        return False
    try:
        named = httptools.parse_url(parsed.schema + b"://" + host)
    except httptools.HttpParserInvalidURLError:
        return True
    port = DEFAULT_PORTS.get(parsed.schema.lower())
    is_same = (parsed.host.lower(), parsed.port or port) == (named.host.lower(), named.port or port)
    return not is_same or parsed.userinfo is not None
