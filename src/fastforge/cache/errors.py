"""Errors: what a cache is asked wrongly, and what it cannot promise at present."""

from __future__ import annotations

from typing import ClassVar

from ..exceptions import ForgeError, ResourceUnavailable

__all__ = ["CacheAway", "CacheError", "LockLost", "LockTaken"]


class CacheError(ForgeError):
    """A cache is used wrongly."""


class CacheAway(ResourceUnavailable):
    """The backend cannot be asked now; who reads or writes goes on without, a lock cannot."""

    retry_after_s: ClassVar[int] = 1


class LockTaken(ResourceUnavailable):
    """Somebody else has held a lock for as long as it was waited for."""

    retry_after_s: ClassVar[int] = 1


class LockLost(CacheError):
    """A lock was not renewed in time, or somebody has taken it away: others may hold it."""
