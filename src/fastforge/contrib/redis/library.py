"""redis-py, or the line that installs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..._utils import missing_extra

try:
    from redis import __version__, exceptions
    from redis.asyncio import ConnectionPool
    from redis.asyncio import Redis as Client
    from redis.asyncio.client import Pipeline
    from redis.asyncio.connection import (
        AbstractConnection,
        Connection,
        SSLConnection,
        UnixDomainSocketConnection,
        parse_url,
    )
    from redis.asyncio.retry import Retry
    from redis.backoff import ExponentialBackoff
except ImportError as error:
    raise missing_extra("redis", "redis") from error

SENDS_AGAIN = int(__version__.partition(".")[0]) >= 6
"""Whether a command is sent again whose connection broke under it: it may have been carried out."""

pack_command: Callable[[tuple[Any, ...]], bytes] | None
try:
    from hiredis import pack_command
except ImportError:  # it only makes things quicker
    pack_command = None

__all__ = [
    "SENDS_AGAIN",
    "AbstractConnection",
    "Client",
    "Connection",
    "ConnectionPool",
    "ExponentialBackoff",
    "Pipeline",
    "Retry",
    "SSLConnection",
    "UnixDomainSocketConnection",
    "exceptions",
    "pack_command",
    "parse_url",
]
