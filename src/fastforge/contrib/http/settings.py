"""The settings HTTP and EXTERNAL_HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from typing import Annotated

from pydantic import Field, field_validator

from ...conf import Section

__all__ = ["ExternalHttp", "Http", "HttpHost"]

_Port = Annotated[int, Field(ge=1, le=65535)]


class HttpHost(Section):
    """What is different for the calls of one host, in `HTTP.hosts`.

    Attributes:
        retries: How many more attempts a call has; None: `HTTP.retries`.
        breaker: Whether its calls fail at once while it is away; None: `HTTP.breaker`.
    """

    retries: int | None = Field(default=None, ge=0, le=10)
    breaker: bool | None = None


class Http(Section, setting="HTTP"):
    """The HTTP client that a process shares.

    ```python
    HTTP = Http(timeout_s=5, retries=2, hosts={"rates.example": HttpHost(breaker=True)})
    ```

    Attributes:
        timeout_s: How long one read, one write or the wait for a free connection may take, in
            seconds.
        connect_timeout_s: How long making a connection may take, in seconds.
        max_connections: How many connections a process has at most.
        retries: How many more attempts a call has that may be repeated.
        retry_pause_s: The longest that the first pause between attempts may be, in seconds; it
            doubles from one to the next.
        max_retry_pause_s: The longest that any pause may be, in seconds.
        retry_budget_s: How long after the first attempt the last one may begin, in seconds.
        breaker: Whether calls of a host that is away fail at once.
        breaker_failures: How many failures in a row say that it is.
        max_breakers: For how many hosts that is known at the same time.
        hosts: What is different for some hosts, by their names.
    """

    timeout_s: float = Field(default=10, gt=0)
    connect_timeout_s: float = Field(default=2, gt=0)
    max_connections: int = Field(default=100, ge=1)
    retries: int = Field(default=0, ge=0, le=10)
    retry_pause_s: float = Field(default=0.1, gt=0)
    max_retry_pause_s: float = Field(default=2, gt=0)
    retry_budget_s: float = Field(default=10, gt=0)
    breaker: bool = False
    breaker_failures: int = Field(default=5, ge=1)
    max_breakers: int = Field(default=100, ge=1)
    hosts: Mapping[str, HttpHost] = Field(default={})

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
