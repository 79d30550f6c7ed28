"""Targets: where a service listens, from what names it."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from ...exceptions import ComponentError

__all__ = ["LOCALHOST", "moved", "upstream_of"]

LOCALHOST: Final = "127.0.0.1"

PORTS: Final = MappingProxyType(
    {"http": 80, "https": 443, "postgresql": 5432, "redis": 6379, "rediss": 6379, "smtp": 25}
)
"""The port of a URL that names none."""


def upstream_of(target: str | tuple[str, int] | Path) -> tuple[str, int] | Path:
    """Return the host and port, or the path of the socket.

    Raises:
        ComponentError: A URL has no port, and its scheme none of its own.
    """
    if not isinstance(target, str):
        return target
    parts = urlsplit(target)
    port = parts.port or PORTS.get(parts.scheme.partition("+")[0])
    if port is None:
        raise ComponentError(
            f"a proxy cannot tell the port of this target: {parts.scheme or target!r}",
            code="test.E004",
            hint='write it, as in "redis://127.0.0.1:6379/0"; a Unix socket is given as a Path',
        )
    return parts.hostname or LOCALHOST, port


def moved(target: str | tuple[str, int] | Path, host: str, port: int) -> str:
    """Return the URL of a service with another address."""
    if not isinstance(target, str):
        return f"tcp://{host}:{port}"
    parts = urlsplit(target)
    user, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}{at}{host}:{port}"))
