"""Client: a bounded pool of connections to Redis, and why it cannot be reached."""

from __future__ import annotations

import re
from typing import Final

from ..._utils import first_line, redact
from ...exceptions import ResourceUnavailable
from .library import BlockingConnectionPool, Client, ExponentialBackoff, Retry, exceptions
from .settings import Redis

__all__ = ["open_client", "unavailable"]

IDLE_PING_S: Final = 30
"""A connection that was idle for longer is tried before it is used."""
RETRIES: Final = 2
FIRST_PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 0.5
_CAUSES: Final = (
    (r"WRONGPASS|NOAUTH|invalid username|without any password", "the user or password is wrong"),
    (r"DB index is out of range", "the server has no database of that number"),
    (r"NOPERM", "the user lacks the permission"),
    (r"LOADING", "the server is reading its data"),
    (r"MASTERDOWN|READONLY", "the server is a replica, or has lost its master"),
    (r"CERTIFICATE_VERIFY_FAILED|certificate verify failed", "its certificate is not trusted"),
    (r"SSL|WRONG_VERSION_NUMBER", "the server does not speak TLS; write redis:// for it"),
    (r"name resolution|not known|Name or service|getaddrinfo", "the host name is unknown"),
    (r"refused|Connect call failed|No such file", "nothing listens there"),
    (r"[Tt]imeout|timed out", "there is no answer within the time limit"),
)


def open_client(
    config: Redis, *, max_connections: int | None = None, retries: int = RETRIES
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
        retries: How often a command is sent again after its connection broke. One whose answer
            only took too long is never sent again, since it may have been carried out.
    """
    pool = BlockingConnectionPool.from_url(
        config.url,
        max_connections=max_connections or config.max_connections,
        timeout=config.read_timeout_s,
        socket_connect_timeout=config.connect_timeout_s,
        socket_timeout=config.read_timeout_s,
        socket_keepalive=True,
        health_check_interval=IDLE_PING_S,
        protocol=2,  # answers have the same form on every version of the client and the server
        retry=Retry(
            ExponentialBackoff(cap=LONGEST_PAUSE_S, base=FIRST_PAUSE_S),
            retries,
            supported_errors=(exceptions.ConnectionError,),
        ),
    )
    return Client.from_pool(pool)


def unavailable(config: Redis, error: BaseException) -> ResourceUnavailable:
    """Return the error for a Redis that does not answer; it holds no password."""
    facts = f"{type(error).__name__} {error}"
    known = (words for pattern, words in _CAUSES if re.search(pattern, facts))
    words = next(known, "") or first_line(redact(str(error))) or type(error).__name__
    return ResourceUnavailable(
        f"Redis at {config.target} cannot be reached: {words}",
        code="redis.E001",
        hint="check REDIS.url, and whether the server runs",
    )
