"""Reachability: whether Redis answers, as the log is told of it."""

from __future__ import annotations

import logging

from .settings import Redis
from .unavailable import unavailable

__all__ = ["Reachability"]

logger = logging.getLogger("fastforge.contrib.redis")


class Reachability:
    """Writes one line when Redis goes away, and one when it is back.

    Args:
        config: The section. While a process starts that requires Redis nothing is written: the
            error that ends the start tells it.
    """

    __slots__ = ("_config", "_is_away", "_silent")

    def __init__(self, config: Redis) -> None:
        self._config = config
        self._is_away = False
        self._silent = config.required

    def lost(self, error: BaseException) -> None:
        """Note that there was no connection, or no answer."""
        if not self._is_away and not self._silent:
            told = unavailable(self._config, error)
            logger.warning("going on without it, and trying it at each use: %s", told)
        self._is_away = True

    def found(self) -> None:
        """Note that it has answered."""
        if self._is_away and not self._silent:
            logger.info("Redis at %s is back", self._config.target)
        self._is_away = self._silent = False
