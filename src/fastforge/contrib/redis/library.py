"""redis-py, or the line that installs it."""

from __future__ import annotations

from ..._utils import missing_extra

try:
    from redis import exceptions
    from redis.asyncio import BlockingConnectionPool
    from redis.asyncio import Redis as Client
    from redis.asyncio.retry import Retry
    from redis.backoff import ExponentialBackoff
except ImportError as error:
    raise missing_extra("redis", "redis") from error

__all__ = ["BlockingConnectionPool", "Client", "ExponentialBackoff", "Retry", "exceptions"]
