"""Addresses: which of them lead out into the internet, and what the others are.

The tables follow the registries of special-purpose addresses of IANA; `ipaddress` has other
answers in each version of Python.
"""

from __future__ import annotations

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, TypeAlias

__all__ = ["Address", "Network", "address_of", "innermost", "is_metadata", "special_use"]

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_V4: Final = (
    ("0.0.0.0/8", "unspecified"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "carrier-grade NAT"),
    ("127.0.0.0/8", "loopback"),
    ("168.63.129.16/32", "metadata"),  # Azure's, amid public ones
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "reserved"),
    ("192.0.2.0/24", "documentation"),
    ("192.88.99.0/24", "6to4 relay"),
    ("192.168.0.0/16", "private"),
    ("198.18.0.0/15", "benchmarks"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
)
# The first that fits counts.
_V6: Final = (
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("64:ff9b:1::/48", "private"),
    ("2001::/32", "Teredo"),
    ("2001::/23", "reserved"),
    ("2001:db8::/32", "documentation"),
    ("2002::/16", "6to4"),
    ("3fff::/20", "documentation"),
    ("2000::/3", ""),  # all that the internet uses
    ("fc00::/7", "unique-local"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "site-local"),
    ("ff00::/8", "multicast"),
    ("::/0", "reserved"),
)
# What a machine in a cloud learns its own keys from: all of 169.254 and the rest by name.
_METADATA: Final = (
    "100.100.100.200/32",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "192.0.0.192/32",
    "fd00:ec2::/32",
    "fd20:ce::254/128",
)

_V4_NETWORKS: Final = tuple((IPv4Network(text), what) for text, what in _V4)
_V6_NETWORKS: Final = tuple((IPv6Network(text), what) for text, what in _V6)
_METADATA_NETWORKS: Final = tuple(ip_network(text) for text in _METADATA)
_NAT64: Final = IPv6Network("64:ff9b::/96")
_V4_BITS: Final = 0xFFFFFFFF
# ISATAP: any network, and a second half of these bits before an IPv4 address.
_ISATAP: Final = frozenset({0x00005EFE, 0x02005EFE})


def address_of(text: str) -> Address:
    """Return an address as a resolver gives it.

    Raises:
        ValueError: It is none.
    """
    return ip_address(text)


def innermost(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one is only another form of, or the address itself.

    >>> innermost(address_of("::ffff:10.0.0.1")), innermost(address_of("64:ff9b::a00:1"))
    (IPv4Address('10.0.0.1'), IPv4Address('10.0.0.1'))
    """
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    # Where a network has IPv6 alone, each host of IPv4 has an address like this.
    if address in _NAT64:
        return IPv4Address(int(address) & _V4_BITS)
    return address


def special_use(address: Address) -> str:
    """Return what an address is for, if not for a host of the internet; empty for one of those.

    Tunnels (6to4, Teredo, ISATAP) are refused whatever is inside: no service is reached by them.

    >>> special_use(address_of("10.0.0.1")), special_use(address_of("9.9.9.9"))
    ('private', '')
    """
    address = innermost(address)
    if isinstance(address, IPv4Address):
        return next((what for network, what in _V4_NETWORKS if address in network), "")
    if int(address) >> 32 & _V4_BITS in _ISATAP:
        return "ISATAP"
    return next(what for network, what in _V6_NETWORKS if address in network)


def is_metadata(address: Address) -> bool:
    """Return whether a cloud answers there with the keys of the machine that asks."""
    address = innermost(address)
    return any(address in network for network in _METADATA_NETWORKS)
