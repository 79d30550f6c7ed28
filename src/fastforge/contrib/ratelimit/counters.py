"""Counters: who has asked how often, in all processes together, or here while that cannot be."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from ...cache.backend import CacheStore
from ...cache.errors import CacheAway
from ...observability.events import RATE_LIMITED
from ...observability.metrics.meter import Meter
from .errors import RateLimited
from .library import SlidingWindowCounterRateLimiter
from .limits import Limit
from .windows import Windows

__all__ = ["Counters", "Taken", "WhenAway", "Window"]

WhenAway: TypeAlias = Literal["pass", "count_here"]
"""What holds while the storage of all processes cannot be asked."""

COMPLAINS_EVERY_S: Final = 60.0

logger = logging.getLogger("fastforge.ratelimit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What is left of one limit.

    Args:
        limit: The limit.
        label: What the limit is called where there are several.
        remaining: How often one may still ask now.
        reset_s: In how many seconds it is more.
    """

    limit: Limit
    label: str
    remaining: int
    reset_s: float

    @property
    def retry_after_s(self) -> int:
        """After how many whole seconds it is more for sure."""
        return int(self.reset_s) + 1

    def error(self) -> RateLimited:
        """Return what is raised where this limit is used up."""
        error = RateLimited(
            f"too many requests: {self.label}", code="ratelimit.E001", hint="ask again later"
        )
        error.retry_after_s = self.retry_after_s
        return error


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of one who asks.

    Args:
        windows: What is left of each limit that was asked.
        refused: The one that lets nobody pass.
    """

    windows: tuple[Window, ...] = ()
    refused: Window | None = None

    def check(self) -> None:
        """Let pass, or refuse.

        Raises:
            RateLimited: One of the limits is used up.
        """
        if self.refused is not None:
            raise self.refused.error()


class Counters:
    """Counts, and refuses who has asked too often.

    Args:
        local: The counters of this process.
        shared: Gives those of all processes; None where each counts for itself.
        clock: Gives the seconds that all processes have in common.
        digest: Makes a key of what tells who asks: no store has that itself.
        meter: Is told what became of whom.
        believes_proxies: Whether TRUSTED_PROXIES names any.
    """

    def __init__(
        self,
        *,
        local: CacheStore,
        shared: Callable[[], CacheStore] | None,
        clock: Callable[[], float],
        digest: Callable[[bytes], bytes],
        meter: Meter,
        believes_proxies: bool = False,
    ) -> None:
        self._local = local
        self._shared = shared
        self._clock = clock
        self._digest = digest
        self._meter = meter
        self._doubts_addresses = not believes_proxies
        self._complained_at = -COMPLAINS_EVERY_S

    async def take(
        self, limits: Sequence[Limit], *who: str, by: str, when_away: WhenAway, name: str = ""
    ) -> Taken:
        """Count one request in each of the limits, until one of them refuses it.

        Args:
            limits: The shortest first.
            who: What is counted together.
            by: What tells who asks, in a word.
            when_away: What to do while the storage cannot be asked.
            name: What the limits have in common.
        """
        label = f"by {by} for {name}" if name else f"by {by}"
        taken = await self._take(limits, self._key(who), label, when_away)
        outcome = "refused" if taken.refused else "passed" if taken.windows else "uncounted"
        self._meter.add(RATE_LIMITED, by, outcome)
        return taken

    async def _take(
        self, limits: Sequence[Limit], key: str, label: str, when_away: WhenAway
    ) -> Taken:
        if self._shared is not None:
            try:
                return await _take(Windows(self._shared(), self._clock), limits, key, label)
            except CacheAway as error:
                self._complain(error)
                if when_away == "pass":
                    return Taken()
        return await _take(self._windows_here(), limits, key, label)

    async def give_back(self, limits: Sequence[Limit], *who: str) -> None:
        """Uncount one request of the present windows: it has turned out to be welcome."""
        key = self._key(who)
        if self._shared is not None:
            try:
                await _give_back(Windows(self._shared(), self._clock), limits, key)
            except CacheAway as error:
                self._complain(error)
            else:
                return
        await _give_back(self._windows_here(), limits, key)

    def doubt(self, headers: Mapping[str, str]) -> None:
        """Tell once of a proxy that is not trusted: all of its clients have one address."""
        if self._doubts_addresses and "x-forwarded-for" in headers:
            self._doubts_addresses = False
            logger.warning(
                "a rate limit by address counts all clients of a proxy as one: requests come with"
                " X-Forwarded-For, and TRUSTED_PROXIES names nobody who is believed"
            )

    def _windows_here(self) -> Windows:
        # A clock that nobody sets: nobody else has these windows.
        return Windows(self._local, time.monotonic)

    def _key(self, who: Sequence[str]) -> str:
        return self._digest("\0".join(who).encode("utf-8", "surrogatepass")).hex()[:32]

    def _complain(self, error: CacheAway) -> None:
        now = time.monotonic()
        if now - self._complained_at >= COMPLAINS_EVERY_S:
            self._complained_at = now
            logger.warning("rate limits of all processes together do not hold now: %s", error)


async def _take(windows: Windows, limits: Sequence[Limit], key: str, label: str) -> Taken:
    limiter = SlidingWindowCounterRateLimiter(windows)
    found: list[Window] = []
    for limit in limits:
        has_passed = await limiter.hit(limit.item, key)
        stats = await limiter.get_window_stats(limit.item, key)
        window = Window(
            limit=limit,
            label=f"{limit} {label}",
            remaining=stats.remaining,
            reset_s=max(0.0, stats.reset_time - time.time()),
        )
        found.append(window)
        if not has_passed:
            return Taken(windows=(*found,), refused=window)
    return Taken(windows=(*found,))


async def _give_back(windows: Windows, limits: Sequence[Limit], key: str) -> None:
    for limit in limits:
        await windows.give_back(limit.item.key_for(key), limit.window_s)
