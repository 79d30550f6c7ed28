"""Entrance: what an edge reads of a request before anything else does, in one pass."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from starlette.types import ASGIApp, Scope

from .policy import EdgePolicy

__all__ = ["STOPPING", "Entrance", "Refused", "too_many_headers"]

STOPPING: Final = "the process is stopping; ask again"

_FORWARDED: Final = frozenset({b"x-forwarded-for", b"x-forwarded-proto", b"x-request-id"})
_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_SOCKET_SCHEMES: Final = {"http": "ws", "https": "wss"}
_NO_HEADERS: Final[Mapping[str, str]] = {}
_AGAIN: Final[Mapping[str, str]] = {"Retry-After": "1"}


class Refused(NamedTuple):
    """What becomes of a request that goes no further.

    Args:
        app: What answers it.
        code: Why, for the log; the answer says it as well.
    """

    app: ASGIApp
    code: str


class Entrance:
    """Decides who goes on, and who is asking.

    Args:
        policy: The rules.
    """

    __slots__ = ("_allows_host", "_max_header_bytes", "_max_headers", "_policy")

    def __init__(self, policy: EdgePolicy) -> None:
        self._allows_host = policy.allows_host
        self._max_header_bytes = policy.max_header_bytes
        self._max_headers = policy.max_headers
        self._policy = policy

    def refusal(self, scope: Scope) -> Refused | None:
        """Return what answers in place of the application: None when it may answer itself."""
        headers = scope.get("headers", ())
        size_bytes = hosts = 0
        host = b""
        for name, value in headers:
            size_bytes += len(name) + len(value)
            if name == b"host":
                host = value
                hosts += 1
        if len(headers) > self._max_headers or size_bytes > self._max_header_bytes:
            return self._too_large()
        allows_host = self._allows_host
        if allows_host is not None and (hosts != 1 or not allows_host(host)):
            return self._wrong_host(hosts)
        return None

    def foreign_page(self, scope: Scope) -> Refused | None:
        """Return what answers a socket that a page of somebody else's opens; None for all others.

        Args:
            scope: The socket's, whose Host is allowed.
        """
        allows = self._policy.allows_socket
        headers = scope.get("headers", ())
        origins = [value for name, value in headers if name == b"origin"]
        if allows is None or not origins:
            return None
        host = next((value for name, value in headers if name == b"host"), b"")
        if len(origins) == 1 and allows(origins[0], host=host):
            return None
        detail = "pages of this origin may open no web socket here"
        return self._refused(403, detail, "middleware.E006")

    def foreign_id(self, scope: Scope) -> str:
        """Take over what a trusted proxy says of the client, and return the id that it gave.

        The id is empty where the peer is no trusted proxy, or has sent none that can be used.
        """
        client_of = self._policy.client_of
        if client_of is None:
            return ""
        found: dict[bytes, list[bytes]] = {name: [] for name in _FORWARDED}
        for name, value in scope.get("headers", ()):
            if name in found:
                found[name].append(value)
        peer = scope.get("client")
        told = client_of(
            peer[0] if peer else "", found[b"x-forwarded-for"], found[b"x-forwarded-proto"]
        )
        if told is None:
            return ""
        self._write_client(scope, *told)
        ids = found[b"x-request-id"]
        return ids[0].decode() if len(ids) == 1 and _ID.fullmatch(ids[0]) else ""

    def _write_client(self, scope: Scope, address: str, scheme: str) -> None:
        peer = scope.get("client")
        if address and (peer is None or peer[0] != address):
            scope["client"] = (address, 0)  # the port is the proxy's
        if scheme:
            is_socket = scope["type"] == "websocket"
            scope["scheme"] = _SOCKET_SCHEMES[scheme] if is_socket else scheme

    def _too_large(self) -> Refused:
        detail, code = too_many_headers(self._max_headers, self._max_header_bytes)
        return self._refused(431, detail, code)

    def _wrong_host(self, hosts: int) -> Refused:
        # Without the host itself: an answer repeats nothing that was sent.
        detail = "nothing is served under this host" if hosts == 1 else "one Host header is needed"
        return self._refused(400, detail, "middleware.E002")

    def busy(self) -> Refused:
        """Return what answers while too many requests are worked on."""
        detail = "too many requests are being worked on"
        return self._refused(503, detail, "middleware.E003", _AGAIN)

    def stopping(self) -> Refused:
        """Return what answers in place of the application when the process ends before it has."""
        return self._refused(503, STOPPING, "middleware.E005", _AGAIN)

    def _refused(
        self, status: int, detail: str, code: str, headers: Mapping[str, str] = _NO_HEADERS
    ) -> Refused:
        app = self._policy.refuse(status, detail=detail, code=code, headers=headers)
        return Refused(app, code)


def too_many_headers(max_headers: int, max_header_bytes: int) -> tuple[str, str]:
    """Return the detail and the code of an answer to headers that are too many, or too long."""
    detail = f"a request may have {max_headers} headers of {max_header_bytes} bytes together"
    return detail, "middleware.E001"
