"""Gauges: what offloading does at one moment, as values for whoever measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["OffloadGauges", "PoolGauges"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolGauges:
    """One bounded number of places.

    Attributes:
        limit: How many places there are.
        borrowed: How many are taken.
        waiting: How many callers wait for one.
        abandoned: How many are taken by functions whose callers have left: cancelled, or out of
            time. A process is ended with its caller, and is one only until it is gone.
    """

    limit: int
    borrowed: int
    waiting: int
    abandoned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OffloadGauges:
    """What one running project offloads at a moment.

    Attributes:
        threads: The threads of SERVER.threads. Plain `def` handlers and dependencies, which take
            them too, are in `borrowed` and `waiting`.
        processes: The calls with `process=True`, of SERVER.offload_processes.
        live_processes: How many processes there are, with those that wait for work.
        limiters: Each limiter that has been used, by its name.
    """

    threads: PoolGauges
    processes: PoolGauges
    live_processes: int
    limiters: Mapping[str, PoolGauges]
