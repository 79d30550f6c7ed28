"""Audience: who may read the details of health."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable
from typing import Final

from starlette.types import Scope

__all__ = ["Audience"]

_FORWARDED: Final = frozenset({b"forwarded", b"via", b"x-forwarded-for", b"x-real-ip"})
_BELIEVED_PORT: Final = 0
"""That of a client whose address a trusted proxy has told: the edge writes it so."""


class Audience:
    """Those who run a process: whoever asks from their networks, or has their token.

    ```python
    audience = Audience(["10.0.0.0/8"], token="")
    scope = {"type": "http", "client": ("10.1.2.3", 4711), "headers": []}
    assert audience.admits(scope)
    assert not audience.admits({**scope, "headers": [(b"x-forwarded-for", b"6.6.6.6")]})
    ```

    Surprises: the address of a proxy that is not one of TRUSTED_PROXIES is that of nobody: else
    all that it lets in would come from its network.

    Args:
        networks: Networks or addresses.
        token: What `Authorization: Bearer` has to say; empty: nothing will do.
    """

    __slots__ = ("_networks", "_token")

    def __init__(self, networks: Iterable[str], token: str) -> None:
        self._networks = [ipaddress.ip_network(each) for each in networks]
        self._token = token.encode()

    def admits(self, scope: Scope) -> bool:
        """Return whether whoever sends a request may read them."""
        return self._has_token(scope) or self._is_near(scope)

    def _has_token(self, scope: Scope) -> bool:
        if not self._token:
            return False
        sent = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(sent) != 1:
            return False
        kind, _, token = sent[0].partition(b" ")
        return kind.lower() == b"bearer" and hmac.compare_digest(token.strip(), self._token)

    def _is_near(self, scope: Scope) -> bool:
        client = scope.get("client")
        if not self._networks or not client:
            return False
        host, port = client
        if port != _BELIEVED_PORT and any(name in _FORWARDED for name, _ in scope["headers"]):
            return False
        try:
            address = ipaddress.ip_address(host)
        except ValueError:  # a test client's
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self._networks)
