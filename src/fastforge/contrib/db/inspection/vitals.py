"""Vitals: how quick a database answers, what time it has, and how it writes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from ....checks.clock import ClockReading
from ..engine import Engines

__all__ = ["Vitals", "ask_vitals"]

TIMES: Final = 3
"""The quickest of so many answers is the distance; the others may have waited for something."""

CLOCK: Final = text("SELECT extract(epoch FROM clock_timestamp())::text")
WRITING: Final = text(
    "SELECT current_setting('server_encoding') || ',' || current_setting('TimeZone')"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """What is asked beside the facts.

    Attributes:
        latency_s: How long the smallest statement takes, in seconds.
        clock: What its clock says; None for a file, which has ours.
        encoding: How it keeps text; empty for a file.
        time_zone: What its sessions have.
    """

    latency_s: float
    clock: ClockReading | None = None
    encoding: str = ""
    time_zone: str = ""


async def ask_vitals(engines: Engines, now: Callable[[], float]) -> Vitals:
    """Ask a database how it is.

    Args:
        engines: The views of a pool.
        now: Our clock.

    Raises:
        SQLAlchemyError: A question fails.
    """
    async with AsyncEngine(engines.read).connect() as connection:
        latencies = []
        for _ in range(TIMES):
            begun = time.perf_counter()
            await connection.scalar(text("SELECT 1"))
            latencies.append(time.perf_counter() - begun)
        if engines.config.is_sqlite:
            return Vitals(latency_s=min(latencies))
        asked_at = now()
        said = float(await connection.scalar(CLOCK) or 0)
        clock = ClockReading.between(asked_at, said, now())
        encoding, _, zone = str(await connection.scalar(WRITING)).partition(",")
        return Vitals(latency_s=min(latencies), clock=clock, encoding=encoding, time_zone=zone)
