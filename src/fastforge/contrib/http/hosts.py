"""Hosts: a breaker for each that is called, of so many at most."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from ...lifecycle.breaker import Breaker
from ...lifecycle.breakers import unwatched_breaker, watched_breaker
from ...lifecycle.container import container_here
from .errors import UpstreamError
from .library import httpx
from .settings import Http

__all__ = ["HostBreakers"]

LEAST_WITHIN_S: Final = 10.0


class HostBreakers:
    """The breakers of the hosts that were called last.

    One that is closed and was not needed for longest is given up first, when there are too many.

    Args:
        config: How many there are, and what opens them.
    """

    def __init__(self, config: Http) -> None:
        self._config = config
        self._breakers: OrderedDict[str, Breaker] = OrderedDict()

    def of(self, url: httpx.URL) -> Breaker:
        """Return that of a host, by its name and port."""
        name = f"http {url.host}:{url.port or url.scheme}"
        breaker = self._breakers.get(name)
        if breaker is None:
            breaker = self._breakers[name] = self._new(name)
            if len(self._breakers) > self._config.max_breakers:
                self._give_one_up(name)
        self._breakers.move_to_end(name)
        return breaker

    def __len__(self) -> int:
        return len(self._breakers)

    def _new(self, name: str) -> Breaker:
        config = self._config
        slowest_s = config.timeout_s + config.connect_timeout_s
        breaker = Breaker(
            name,
            failures=(UpstreamError,),
            opens_after=config.breaker_failures,
            within_s=LEAST_WITHIN_S + config.breaker_failures * slowest_s,
        )
        return watched_breaker(breaker) if container_here.get(None) else breaker

    def _give_one_up(self, newest: str) -> None:
        others = [name for name in self._breakers if name != newest]
        quiet = (name for name in others if not self._breakers[name].is_troubled)
        breaker = self._breakers.pop(next(quiet, others[0] if others else newest))
        if container_here.get(None):
            unwatched_breaker(breaker)
