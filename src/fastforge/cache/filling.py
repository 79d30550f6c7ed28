"""Filling: one value that is read, or made by one of all who ask for it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from ..observability.tracing import span
from .engine import Engine, Entry
from .flights import Flight
from .values import Unreadable, decoded, encoded

__all__ = ["MISSING", "Filling", "readable"]

logger = logging.getLogger("fastforge.cache")

MISSING: Final[Any] = type("_Missing", (), {"__repr__": lambda self: "MISSING"})()
"""What `get(..., default=MISSING)` gives for a key without a value: None is one."""

REFRESH_CLAIM_S: Final = 30.0
"""A process that refreshes a value early keeps others from doing so for so long at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """What `get_or_set` was asked for."""

    engine: Engine
    key: str
    namespace: str
    make: Callable[[], Awaitable[Any]]
    type: Any
    ttl_s: float
    tags: Sequence[str]
    early_s: float

    async def value(self) -> Any:
        """Return it."""
        entry, is_mine = await self.engine.flights.run(self.key, self._lead, tags=self.tags)
        if is_mine and 0 < entry.left_s < self.early_s:
            entry = await self._refreshed(entry)
        value = readable(entry, self.type)
        if value is MISSING:  # who made it meant another type
            value = decoded((await self._fill(Flight(self.tags))).json, self.type)
        return value

    async def _lead(self, flight: Flight[Entry]) -> Entry:
        found = await self.engine.read(self.key, with_left=self.early_s > 0)
        if found is not None and readable(found, self.type) is not MISSING:
            return found
        return await self._fill(flight)

    async def _fill(self, flight: Flight[Entry]) -> Entry:
        marks = await self.engine.marks(self.tags, ttl_s=self.ttl_s)
        with span("cache fill", attributes={"cache.namespace": self.namespace}):
            value = await self.make()
        json = encoded(value, self.type)
        if not flight.is_void:
            await self.engine.write(self.key, json, ttl_s=self.ttl_s, marks=marks)
        return Entry(json)

    async def _refreshed(self, entry: Entry) -> Entry:
        """Return it made anew, or the old one where another makes it or that fails."""
        flights, store = self.engine.flights, self.engine.store
        refresh = f"e:{self.key}"
        claim = partial(store.claim, refresh, refresh, lease_s=REFRESH_CLAIM_S)
        if (
            flights.is_on(refresh)
            or not await self.engine.ask("claim", claim, 0)
            or flights.is_on(refresh)
        ):
            return entry
        try:
            return (await flights.run(refresh, self._fill, tags=self.tags))[0]
        except Exception:
            logger.warning("a cached value could not be made anew before its end", exc_info=True)
            return entry
        finally:
            await self.engine.ask("claim", partial(store.release, refresh, refresh), False)


def readable(entry: Entry, type_: Any) -> Any:
    """Return the value of an entry, or MISSING for one that does not fit any more."""
    try:
        return decoded(entry.json, type_)
    except Unreadable:
        return MISSING
