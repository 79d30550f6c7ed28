"""Client: redis-py's own, with a bounded pool of connections that have time limits."""

from __future__ import annotations

from typing import Any, Final

from ...lifecycle import Breaker
from .connections import LIMITED
from .library import Client, ExponentialBackoff, Retry, exceptions, parse_url
from .pool import Pool
from .settings import Redis
from .traced import TracedClient

__all__ = ["open_client"]

IDLE_PING_S: Final = 30
"""A connection that was idle for longer is tried before it is used."""
RETRIES: Final = 2
FIRST_PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 0.5


def open_client(
    config: Redis,
    *,
    max_connections: int | None = None,
    retries: int = RETRIES,
    breaker: Breaker | None = None,
) -> Client:
    """Return a client with a pool of its own; it connects with the first command.

    For a connection that a resource of your own needs apart from the shared ones: whoever makes
    a client closes it with `aclose()`.

    ```python
    client = open_client(config, max_connections=2)
    ```

    Args:
        config: The section.
        max_connections: How many connections it has at most; those of the section unless given.
        retries: How often making a connection is tried again and, from redis-py 6 on, a command is
            sent again after its connection broke. One whose answer only took too long is never
            sent again, since it may have been carried out.
        breaker: Lets commands fail at once while Redis is away; the shared client has one.
    """
    options = _options(config.url)
    return TracedClient.from_pool(
        Pool(
            wait_s=config.read_timeout_s,
            max_connections=max_connections or config.max_connections,
            connection_class=LIMITED[options.pop("connection_class", None)],
            config=config,
            breaker=breaker,
            socket_timeout=None,  # redis-py 8 has one of its own
            socket_connect_timeout=config.connect_timeout_s,
            health_check_interval=IDLE_PING_S,
            protocol=2,  # answers have the same form on every version of the client and the server
            retry=Retry(
                ExponentialBackoff(cap=LONGEST_PAUSE_S, base=FIRST_PAUSE_S),
                retries,
                supported_errors=(exceptions.ConnectionError,),
            ),
            **options,
        )
    )


def _options(url: str) -> dict[str, Any]:
    """Return what a URL says, and what holds for its kind."""
    options: dict[str, Any] = dict(parse_url(url))
    if url.startswith("rediss:"):  # redis-py 5 trusts the certificates of all other hosts too
        options.setdefault("ssl_check_hostname", options.get("ssl_cert_reqs") != "none")
    if "path" not in options:
        options["socket_keepalive"] = True
    return options
