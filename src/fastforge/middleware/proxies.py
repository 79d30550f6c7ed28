"""Proxies: whom an X-Forwarded-* header is believed, and who then is the client."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Final

__all__ = ["TrustedProxies", "usable_proxy"]

UNIX: Final = "unix"
"""The entry that trusts whoever connects through a Unix socket, where nobody has an address."""
MOST_PROXIES: Final = 16
"""How many trusted proxies may stand in a row; a longer chain is nobody's network."""
MOST_KNOWN_CHAINS: Final = 1024
LONGEST_KNOWN_CHAIN: Final = 256
"""How many answers are kept, and of how many bytes: clients write what stands in the headers."""

_WEB_SCHEMES: Final = {b"http": "http", b"https": "https", b"ws": "http", b"wss": "https"}

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Values = tuple[bytes, ...]


class TrustedProxies:
    """Finds the client behind proxies of ours.

    Every proxy appends whoever it was asked by, so that the chain is read from the right: trusted
    entries are skipped, the first other one is the client, and what is written left of it is the
    client's own claim. What is no address ends the reading at the last one that was.

    ```python
    client_of = TrustedProxies(["10.0.0.0/8"]).client_of
    assert client_of("10.0.0.1", [b"6.6.6.6, 203.0.113.7"], [b"https"]) == ("203.0.113.7", "https")
    ```

    Surprises: an IPv4 address in IPv6 form (`::ffff:10.0.0.1`) is that IPv4 address.

    Args:
        entries: Networks, addresses, or `unix`.
    """

    __slots__ = ("_known", "_networks", "_trusts_unix")

    def __init__(self, entries: Iterable[str]) -> None:
        self._trusts_unix = False
        self._networks: list[_Network] = []
        for entry in entries:
            if entry == UNIX:
                self._trusts_unix = True
            else:
                self._networks.append(ipaddress.ip_network(entry))
        self._known: dict[tuple[str, _Values, _Values], tuple[str, str] | None] = {}

    def client_of(
        self, peer: str, forwarded_for: Sequence[bytes], forwarded_proto: Sequence[bytes]
    ) -> tuple[str, str] | None:
        """Return the client's address and scheme; None when the peer is no trusted proxy.

        Args:
            peer: The address of whoever is connected; empty for a Unix socket.
            forwarded_for: The values of every X-Forwarded-For line, in their order.
            forwarded_proto: Those of X-Forwarded-Proto.

        Returns:
            The address, and `http` or `https`; an empty scheme when no proxy tells one.
        """
        key = (peer, tuple(forwarded_for), tuple(forwarded_proto))
        try:
            return self._known[key]
        except KeyError:
            found = self._client_of(*key)
        if sum(map(len, (*key[1], *key[2]))) <= LONGEST_KNOWN_CHAIN:
            if len(self._known) >= MOST_KNOWN_CHAINS:
                self._known.clear()
            self._known[key] = found
        return found

    def _client_of(self, peer: str, fors: _Values, protos: _Values) -> tuple[str, str] | None:
        if not self._trusts_peer(peer):
            return None
        entries = _entries(fors)
        address, position = self._walk(peer, entries)
        return address, _scheme(_entries(protos), len(entries), position)

    def _trusts_peer(self, peer: str) -> bool:
        address = _address(peer.encode())
        return self._trusts(address) if address is not None else self._trusts_unix and not peer

    def _trusts(self, address: _Address) -> bool:
        return any(address in network for network in self._networks)

    def _walk(self, peer: str, entries: list[bytes]) -> tuple[str, int]:
        """Return the client and where it stands; -1 when it is the peer itself."""
        client = (peer, -1)
        nearest = range(len(entries))[-1 - MOST_PROXIES :]
        for position in reversed(nearest):
            address = _address(_without_port(entries[position]))
            if address is None:
                break
            client = (str(address), position)
            if not self._trusts(address):
                break
        return client


def usable_proxy(entry: str) -> str:
    """Return an entry of TRUSTED_PROXIES, if it is one.

    Raises:
        ValueError: It is none, with what to write.
    """
    if entry == UNIX:
        return entry
    if entry == "*":
        raise ValueError("whoever may connect could then be anybody; write your proxies' networks")
    try:
        ipaddress.ip_network(entry)
    except ValueError:
        raise ValueError(_what_to_write(entry)) from None
    return entry


def _what_to_write(entry: str) -> str:
    try:
        network = ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return "this is no network; write '10.0.0.0/8', an address, or 'unix' for a Unix socket"
    return f"this address lies inside a network; write '{network}', or the address alone"


def _entries(lines: _Values) -> list[bytes]:
    """Return what a header of several lines lists; empty elements mean nothing in a list."""
    found = (entry.strip() for line in lines for entry in line.split(b","))
    return [entry for entry in found if entry]


def _address(text: bytes) -> _Address | None:
    try:
        address = ipaddress.ip_address(text.decode("ascii"))
    except ValueError:  # a UnicodeDecodeError is one
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return None
        return address.ipv4_mapped or address
    return address


def _without_port(entry: bytes) -> bytes:
    if entry.startswith(b"["):
        address, closing, rest = entry[1:].partition(b"]")
        return address if closing and (not rest or _is_port(rest)) else b""
    address, separator, port = entry.partition(b":")
    if separator and b":" not in port:
        return address if _is_port(b":" + port) else b""
    return entry


def _is_port(text: bytes) -> bool:
    return text[:1] == b":" and text[1:].isdigit()


def _scheme(protos: list[bytes], length: int, position: int) -> str:
    """Return what was told of the client; of the last connection when that cannot be told."""
    if not protos:
        return ""
    told = protos[position] if len(protos) == length else protos[-1]
    return _WEB_SCHEMES.get(told.lower(), "")
