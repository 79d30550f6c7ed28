"""Errors: a Redis that is away is one of redis-py's errors, and in a request a 503."""

from __future__ import annotations

from typing import ClassVar

from ...exceptions import ResourceUnavailable
from ...lifecycle import BreakerOpen
from .library import exceptions
from .settings import Redis
from .unavailable import unavailable

__all__ = ["NoFreeConnection", "RedisAway", "RedisLate", "RedisRefused", "away"]


class RedisAway(ResourceUnavailable, exceptions.ConnectionError):
    """There is no connection, or it was lost."""

    retry_after_s: ClassVar[int] = 1


class RedisLate(ResourceUnavailable, exceptions.TimeoutError):
    """There was no connection, or no answer, in time."""

    retry_after_s: ClassVar[int] = 1


class RedisRefused(BreakerOpen, exceptions.ConnectionError):
    """Redis was not asked: it was away when it was asked last."""


class NoFreeConnection(ResourceUnavailable, exceptions.ConnectionError):
    """All connections are in use, and none was given back in time."""

    retry_after_s: ClassVar[int] = 1


def away(config: Redis, error: Exception) -> Exception:
    """Return what is raised for an error of redis-py: one that waiting may cure becomes ours."""
    if type(error) is exceptions.TimeoutError:
        kind: type[RedisAway | RedisLate] = RedisLate
    elif type(error) is exceptions.ConnectionError or isinstance(error, OSError):
        kind = RedisAway
    else:  # such as a wrong password, or ours already
        return error
    told = unavailable(config, error)
    return kind(told.message, code=told.code, hint=told.hint)
