"""Addresses: who is one client to a limit by address."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Final

from starlette.requests import HTTPConnection

__all__ = ["address_of", "network_of"]

IPV6_PREFIX: Final = 64
"""What one household or one server is given: whoever has it has all addresses in it."""


def address_of(connection: HTTPConnection) -> str | None:
    """Return the client's address, as the edge has found it behind TRUSTED_PROXIES.

    An IPv6 address is its network of 64 bits, an IPv4 address in IPv6 form that IPv4 address.
    None of a Unix socket through which no trusted proxy has told one.
    """
    client = connection.client
    return network_of(client.host) if client is not None else None


@lru_cache(maxsize=1024)
def network_of(address: str) -> str | None:
    """Return what counts as one client.

    >>> network_of("2001:db8:1:2:3:4:5:6"), network_of("::ffff:192.0.2.1")
    ('2001:db8:1:2::/64', '192.0.2.1')
    """
    if not address:
        return None
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address  # of a test client, whose name is none
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, IPV6_PREFIX), strict=False))
