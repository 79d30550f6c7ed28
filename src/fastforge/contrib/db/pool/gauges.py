"""Gauges: what the pool of a database does at one moment, as values for whoever measures."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DatabaseGauges", "Durations"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """How long something took, since the pool was made.

    Two readings give what was between them: the differences of `count` and of `sum_s`.

    Attributes:
        count: How often it happened.
        sum_s: How long it took, all in all.
        max_s: How long it took at most.
    """

    count: int = 0
    sum_s: float = 0.0
    max_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseGauges:
    """The pool that one process has of one database.

    Attributes:
        size: How many connections are kept, `pool_size`.
        max_overflow: How many there may be above that.
        checked_out: How many are in use.
        overflow: How many there are above `size`.
        waiting: How many callers wait for one.
        waits: How long callers waited, those included that got none. Who is given a connection at
            once has not waited.
        uses: How long connections were in use, each time.
        connects: How many connections were made.
        invalidations: How many were thrown away: broken, or in use by somebody who was cancelled.
        timeouts: How many callers gave up with PoolExhausted.
    """

    size: int
    max_overflow: int
    checked_out: int
    overflow: int
    waiting: int
    waits: Durations
    uses: Durations
    connects: int
    invalidations: int
    timeouts: int
