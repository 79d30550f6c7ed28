"""Hosts: which Host headers are answered, decided before the first request."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

__all__ = ["AllowedHosts", "usable_host_pattern"]

EVERY_HOST: Final = "*"
MOST_KNOWN_HOSTS: Final = 1024
"""How many answers are kept; anybody may send a host that nobody has sent before."""
HIGHEST_PORT: Final = 65535

_LABELS: Final = r"(?:[a-z0-9_-]+\.)*[a-z0-9_-]+"
_HOST: Final = re.compile(
    rf"(?:(?P<name>{_LABELS})\.?|\[(?P<six>[0-9a-f:.]+)\])(?::(?P<port>[0-9]{{1,5}}))?"
)
_LONGEST_HOST: Final = 262
"""255 for a name, as DNS has it, a dot, and a port."""


class AllowedHosts:
    """Says whether a Host header is one of ours.

    A name matches whatever its port, its case and a dot at its end; `*.shop.example` matches the
    subdomains of `shop.example` at any depth and not itself. What is no host at all is refused,
    also where `*` allows every one.

    ```python
    allows_host = AllowedHosts(["shop.example", "*.shop.example"])
    assert allows_host(b"www.shop.example:8000")
    ```

    Args:
        patterns: Names, addresses (those of IPv6 in brackets), `*.` before a name, or `*`.
    """

    __slots__ = ("_endings", "_every", "_known", "_names")

    def __init__(self, patterns: Iterable[str]) -> None:
        names = [pattern.lower().removesuffix(".") for pattern in patterns]
        self._every = EVERY_HOST in names
        self._names = frozenset(_canonical(name) for name in names if "*" not in name)
        self._endings = tuple(name[1:] for name in names if name.startswith("*."))
        self._known: dict[bytes, bool] = {}

    def __call__(self, host: bytes) -> bool:
        known = self._known.get(host)
        if known is not None:
            return known
        if len(host) > _LONGEST_HOST:
            return False
        if len(self._known) >= MOST_KNOWN_HOSTS:
            self._known.clear()
        allowed = self._known[host] = self._allows(host.decode("latin-1").lower())
        return allowed

    def _allows(self, host: str) -> bool:
        found = _HOST.fullmatch(host)
        if found is None or int(found["port"] or 0) > HIGHEST_PORT:
            return False
        name = _name_of(found)
        return bool(name) and (self._every or name in self._names or name.endswith(self._endings))


def usable_host_pattern(pattern: str) -> str:
    """Return an entry of ALLOWED_HOSTS, if it can match anything.

    Raises:
        ValueError: It cannot, with what to write.
    """
    name = pattern.lower()
    found = _HOST.fullmatch(name.removeprefix("*."))
    if "://" in name:
        raise ValueError(f"this is a URL; write its host alone: {urlsplit(name).hostname!r}")
    if name.startswith("."):
        raise ValueError(f"write '*{name}' for the subdomains, and {name[1:]!r} for itself")
    if _canonical(f"[{name}]"):
        raise ValueError(f"an IPv6 address stands in brackets: '[{name}]'")
    if found is not None and found["port"]:
        raise ValueError(f"ports do not count; write {name.removesuffix(':' + found['port'])!r}")
    if name != EVERY_HOST and (found is None or not _name_of(found)):
        raise ValueError("this is no host; write a name, an address, '*.' before a name, or '*'")
    return pattern


def _name_of(found: re.Match[str]) -> str:
    return found["name"] or _canonical(f"[{found['six']}]")


def _canonical(name: str) -> str:
    """Return an IPv6 address in its shortest form, empty when it is none; a name as it is."""
    if not name.startswith("["):
        return name
    try:
        return f"[{ipaddress.IPv6Address(name[1:-1])}]"
    except ValueError:
        return ""
