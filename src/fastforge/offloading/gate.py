"""Gate: the live side of a limit. Places are taken, waited for, lent and given back."""

from __future__ import annotations

from typing import Final

import anyio

from .errors import OffloadBusy

__all__ = ["Gate", "Place"]


class Gate:
    """A bounded number of places, in the order of asking.

    Args:
        limiter: What counts them. Others may take tokens of it too: AnyIO's own threads do.
        name: What a refusal calls it.
        max_waiting: How many may wait; None: any number.
    """

    def __init__(
        self, limiter: anyio.CapacityLimiter, *, name: str = "", max_waiting: int | None = None
    ) -> None:
        self.limiter: Final = limiter
        self.name: Final = name
        self._max_waiting = max_waiting
        self._waiting_for_loans = 0
        self._seen: frozenset[object] = frozenset()
        self._is_told = False

    @property
    def limit(self) -> int:
        """How many places there are."""
        return int(self.limiter.total_tokens)

    @property
    def waiting(self) -> int:
        """How many callers wait, those that are not ours included."""
        return self.limiter.statistics().tasks_waiting + self._waiting_for_loans

    async def enter(self, lender: Place | None) -> Place:
        """Take a place, and wait for it if need be. A cancelled wait leaves nothing behind.

        Args:
            lender: The place of the function that this call comes from, if it is in this gate.
                Its thread does nothing but wait for us: its place is used in its stead.

        Raises:
            OffloadBusy: As many wait as may.
        """
        place = Place(self, lender)
        try:
            place.source.acquire_on_behalf_of_nowait(place)
        except anyio.WouldBlock:
            self._refuse_if_full()
            await self._wait(place)
        return place

    def look(self) -> bool:
        """Return whether nobody has left since the last look although others wait; said once."""
        statistics = self.limiter.statistics()
        now = frozenset(statistics.borrowers if statistics.tasks_waiting else ())
        is_stuck = bool(now) and now == self._seen
        is_news = is_stuck and not self._is_told
        self._seen, self._is_told = now, is_stuck
        return is_news

    async def _wait(self, place: Place) -> None:
        on_loan = place.lender is not None
        self._waiting_for_loans += on_loan
        try:
            await place.source.acquire_on_behalf_of(place)
        except BaseException:
            if place.lender is not None:  # the loan may have been ours for a moment
                place.lender.give_back()
            raise
        finally:
            self._waiting_for_loans -= on_loan

    def _refuse_if_full(self) -> None:
        if self._max_waiting is not None and self.waiting >= self._max_waiting:
            callers = "1 caller waits" if self.waiting == 1 else f"{self.waiting} callers wait"
            raise OffloadBusy(
                f"{callers} for the limiter {self.name!r} already",
                code="offloading.E010",
                hint="try again later, or raise its limit",
            )


class Place:
    """One place in a gate, from its taking to the end of the function that has it.

    It can be lent: a function that calls back into the event loop waits there for what may need
    a place itself. When all places were held by such functions, they would wait for ever.
    """

    __slots__ = ("_gate", "_given_back", "_loan", "has_ended", "lender", "source")

    def __init__(self, gate: Gate, lender: Place | None) -> None:
        self.lender = lender
        self.source = gate.limiter if lender is None else lender.loan
        self.has_ended = False
        self._gate = gate
        self._loan: anyio.CapacityLimiter | None = None
        self._given_back = False

    @property
    def loan(self) -> anyio.CapacityLimiter:
        """What the calls that come from this place's function share: one of them at a time."""
        if self._loan is None:
            self._loan = anyio.CapacityLimiter(1)
        return self._loan

    def end(self) -> None:
        """Say that the function has ended."""
        self.has_ended = True
        self.give_back()

    def give_back(self) -> None:
        """Give the place back, once its function has ended and nobody has it on loan."""
        is_lent = self._loan is not None and self._loan.borrowed_tokens > 0
        if not self.has_ended or is_lent or self._given_back:
            return
        self._given_back = True
        self.source.release_on_behalf_of(self)
        if self.lender is not None:
            self.lender.give_back()
