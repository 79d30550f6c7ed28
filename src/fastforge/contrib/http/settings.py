"""The settings HTTP and EXTERNAL_HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Annotated

from pydantic import Field, field_validator

from ...conf import Section

__all__ = ["ExternalHttp", "Http"]

_Port = Annotated[int, Field(ge=1, le=65535)]


class Http(Section, setting="HTTP"):
    """The HTTP client that a process shares.

    ```python
    HTTP = Http(timeout_s=5)
    ```

    Attributes:
        timeout_s: How long one read, one write or the wait for a free connection may take, in
            seconds.
        connect_timeout_s: How long making a connection may take, in seconds.
        max_connections: How many connections a process has at most.
    """

    timeout_s: float = Field(default=10, gt=0)
    connect_timeout_s: float = Field(default=2, gt=0)
    max_connections: int = Field(default=100, ge=1)

    def most_connections(self, environment: str) -> int:
        """Return the size of the pool."""
        return self.max_connections


class ExternalHttp(Section, setting="EXTERNAL_HTTP"):
    """What `http.external()` asks: URLs that somebody else has given.

    ```python
    EXTERNAL_HTTP = ExternalHttp(max_bytes=1_000_000, deny_hosts=["*.example.org"])
    ```

    Attributes:
        timeout_s: How long one read, one write or the wait for a free connection may take, in
            seconds.
        connect_timeout_s: How long looking a name up and connecting may take, in seconds.
        total_timeout_s: How long a call may take with all redirects and its body, in seconds.
        max_bytes: How long an answer may be, decoded or not.
        max_redirects: How often a call may be led on.
        max_connections: How many connections a process has at most.
        https_only: Whether `http://` is refused.
        ports: Those that are asked.
        allow_hosts: Names, or `*.name` for all below it, that are asked and no others.
        deny_hosts: Names, or `*.name`, that are not asked.
        allow_networks: Networks that are asked although they are inner ones.
        deny_networks: Networks that are not asked although they are public.
        propagate: Whether calls carry the request id and the trace.
    """

    timeout_s: float = Field(default=10, gt=0)
    connect_timeout_s: float = Field(default=3, gt=0)
    total_timeout_s: float = Field(default=30, gt=0)
    max_bytes: int = Field(default=10_485_760, ge=1)
    max_redirects: int = Field(default=5, ge=0)
    max_connections: int = Field(default=50, ge=1)
    https_only: bool = False
    ports: Sequence[_Port] = (80, 443)
    allow_hosts: Sequence[str] = ()
    deny_hosts: Sequence[str] = ()
    allow_networks: Sequence[str] = ()
    deny_networks: Sequence[str] = ()
    propagate: bool = False

    @field_validator("allow_networks", "deny_networks")
    @classmethod
    def _are_networks(cls, networks: Sequence[str]) -> Sequence[str]:
        for network in networks:
            ip_network(network)
        return networks

    def most_connections(self, environment: str) -> int:
        """Return how many connections there are at most."""
        return self.max_connections
