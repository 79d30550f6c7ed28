"""Watchdog: what the thread beside an event loop costs requests, in interleaved rounds.

The 95% interval of the ratio has to reach 1: then its cost is not to be told from none.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from fastforge.middleware.line import route_template
from fastforge.observability.watchdog.settings import Watchdog
from fastforge.observability.watchdog.watch import Watch

from .edge import FILES
from .harness.projects import serving, write_project
from .harness.requests import cpu_us_per_request
from .harness.rows import arguments, interval, row_of, show

CONCURRENCY = 8
SETTINGS = "bench/settings.py"
OFF = 'WATCHDOG = {"enabled": False}\n        LOGGING = {"access_line": False}\n'
"""The project has no watchdog of its own, which would watch both, and writes no lines."""


async def cost_of(app: FastAPI, count: int, *, watched: bool) -> float:
    """Return the CPU microseconds of one request; those of the watching thread are in it."""
    watch = Watch(Watchdog(), route_template) if watched else None
    if watch is not None:
        watch.start()
    try:
        await asyncio.sleep(0.05)
        return await cpu_us_per_request(app, "GET", "/hello", count=count, concurrency=CONCURRENCY)
    finally:
        if watch is not None:
            watch.stop()


def rounds_of(
    runner: asyncio.Runner, app: FastAPI, *, count: int, rounds: int
) -> tuple[list[float], list[float]]:
    """Return what requests cost with the watchdog and without it, round by round."""
    costs: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(rounds + 1):
        # The first of two has the colder caches: they take turns.
        for watched in (True, False) if turn % 2 else (False, True):
            cost = runner.run(cost_of(app, count, watched=watched))
            if turn:
                costs[watched].append(cost)
    return costs[True], costs[False]


def main() -> None:
    """Print the row, and for people the interval."""
    options = arguments(__doc__)
    count, rounds = (400, 4) if options.quick else (8000, 30)
    factories: dict[str, Callable[[], Any]] = {"asyncio": asyncio.new_event_loop}
    try:
        import uvloop

        factories["uvloop"] = uvloop.new_event_loop
    except ImportError:
        pass
    for loop, factory in factories.items():
        with (
            tempfile.TemporaryDirectory() as folder,
            asyncio.Runner(loop_factory=factory) as runner,
        ):
            write_project(Path(folder), {**FILES, SETTINGS: FILES[SETTINGS] + OFF})
            manager = serving(Path(folder))
            _, app = runner.run(manager.__aenter__())
            with_it, without = rounds_of(runner, app, count=count, rounds=rounds)
            row = row_of(
                benchmark="watchdog",
                case=f"watched-{loop}",
                subject="fastforge",
                costs=with_it,
                against="unwatched",
                costs_against=without,
            )
            show(iter([row]), as_json=options.json)
            if not options.json:
                low, high = interval(with_it, without)
                print(f"{'':10} 95% interval {low:.3f} to {high:.3f}")
            runner.run(manager.__aexit__(None, None, None))


if __name__ == "__main__":
    main()
