"""Nearness: whether a host is on a network of one's own, as far as its name tells."""

from __future__ import annotations

import ipaddress
from typing import Final

__all__ = ["is_near"]

_HERE: Final = ("localhost", "")
_INSIDE: Final = (".local", ".internal", ".svc")


def is_near(host: str) -> bool:
    """Return whether a host is this one, or of a network of one's own by its address or name.

    Args:
        host: A name or an address, without a port; empty for this machine.
    """
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:  # a name: one without a dot, or of a cluster, is looked up inside
        return host in _HERE or "." not in host or host.endswith(_INSIDE)
