"""Flights: of many who want the same at the same time one works it out, and all have it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextvars import ContextVar
from types import TracebackType
from typing import Final, Generic, NamedTuple, TypeVar

from .errors import CacheError

__all__ = ["ABANDONED", "Abandoned", "Failure", "Flight", "Flights"]

T = TypeVar("T")

_led: Final[ContextVar[tuple[object, ...]]] = ContextVar("fastforge_cache_flights", default=())
"""The flights that what runs here leads."""


class Failure(NamedTuple):
    """What working it out has raised."""

    error: Exception
    traceback: TracebackType | None

    def again(self) -> Exception:
        """Return the error for one more who waited; else its traceback would grow with each."""
        return self.error.with_traceback(self.traceback)


class Abandoned:
    """Who led has left: another one has to."""


ABANDONED: Final = Abandoned()


class Flight(Generic[T]):
    """One value that is being worked out.

    Attributes:
        tags: What it depends on.
        is_void: Whether it has become worthless meanwhile: it is given to those who wait for it,
            who asked before, and not kept.
    """

    __slots__ = ("_end", "is_void", "tags")

    def __init__(self, tags: Collection[str]) -> None:
        self.tags = tags
        self.is_void = False
        self._end: asyncio.Future[T | Failure | Abandoned] = (
            asyncio.get_running_loop().create_future()
        )

    def lands(self, result: T | Failure | Abandoned) -> None:
        """Give those who wait what they wait for; only the first time counts."""
        if not self._end.done():
            self._end.set_result(result)

    async def result(self) -> T | Failure | Abandoned:
        """Wait for the end; whoever is cancelled while he waits leaves the others alone."""
        return await asyncio.shield(self._end)


class Flights(Generic[T]):
    """Those of one cache in one process.

    Who comes first leads: it works the value out itself, in its own task, with its own session.
    Where it is cancelled one of the others leads, with what is its own. An exception reaches all.
    """

    def __init__(self) -> None:
        self._flights: dict[str, Flight[T]] = {}

    async def run(
        self,
        key: str,
        lead: Callable[[Flight[T]], Awaitable[T]],
        *,
        tags: Collection[str] = (),
    ) -> tuple[T, bool]:
        """Return the value, and whether it was worked out here.

        Raises:
            CacheError: Working it out would wait for itself.
            Exception: What working it out has raised.
        """
        while (flight := self._flights.get(key)) is not None:
            if flight in _led.get():
                raise CacheError(
                    f"working out {key!r} for the cache asks for the same key, and would wait"
                    " for itself",
                    code="cache.E004",
                    hint="give what is inside a key of its own",
                )
            result = await flight.result()
            if isinstance(result, Failure):
                raise result.again()
            if not isinstance(result, Abandoned):
                return result, False
        return await self._lead(key, lead, tags), True

    def is_on(self, key: str) -> bool:
        """Return whether somebody is working out the value of a key."""
        return key in self._flights

    def forget(self, key: str) -> None:
        """Let whoever asks from now on work it out anew."""
        flight = self._flights.pop(key, None)
        if flight is not None:
            flight.is_void = True

    def forget_tagged(self, tags: Collection[str]) -> None:
        """Forget all that depend on one of some tags."""
        wanted = {*tags}
        for key in [key for key, each in self._flights.items() if not wanted.isdisjoint(each.tags)]:
            self.forget(key)

    def forget_all(self, prefix: str) -> None:
        """Forget all whose keys begin like this."""
        for key in [key for key in self._flights if key.startswith(prefix)]:
            self.forget(key)

    def find(self, key: str) -> Flight[T] | None:
        """Return what is being worked out for a key."""
        return self._flights.get(key)

    def begin(self, key: str, tags: Collection[str]) -> Flight[T]:
        """Lead; whoever does that calls `end`, whatever becomes of it."""
        flight = self._flights[key] = Flight[T](tags)
        return flight

    def end(self, key: str, flight: Flight[T], result: T | Failure | Abandoned) -> None:
        """Give those who wait what they wait for."""
        if self._flights.get(key) is flight:
            del self._flights[key]
        flight.lands(result)

    async def _lead(
        self, key: str, lead: Callable[[Flight[T]], Awaitable[T]], tags: Collection[str]
    ) -> T:
        flight = self.begin(key, tags)
        token = _led.set((*_led.get(), flight))
        try:
            result = await lead(flight)
        except Exception as error:
            self.end(key, flight, Failure(error, error.__traceback__))
            raise
        except BaseException:
            self.end(key, flight, ABANDONED)
            raise
        finally:
            _led.reset(token)
        self.end(key, flight, result)
        return result
