"""What a worker without jobs costs: counted in wake-ups, since time depends on the machine."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from typing import Any

from fastforge.contrib.jobs import JobStore
from fastforge.tasks import Consumer, ConsumerOptions, Stop
from tests.tasks.conftest import run_project, settings

from .conftest import opened

__all__ = ["run_project", "settings"]

OPTIONS = ConsumerOptions(queues=("default",), concurrency=10, lease_s=30, drain_s=1)


class CountingSelector(selectors.DefaultSelector):
    """Counts how often an event loop wakes up."""

    wakes = 0

    def select(self, timeout: float | None = None) -> Any:
        found = super().select(timeout)
        self.wakes += timeout is None or timeout > 0
        return found


def test_an_idle_worker_on_sqlite_looks_at_the_file_slowly(
    sqlite_url: str, run_project: Callable[..., Any]
) -> None:
    """Also while it beats: that is a change of the file as well."""
    selector = CountingSelector()

    async def main() -> int:
        async with run_project() as container, opened(sqlite_url) as db:
            stop = Stop()
            consumer = Consumer(container, JobStore(db.engine), OPTIONS, stop)
            running = asyncio.create_task(consumer.run())
            await asyncio.sleep(2)
            before = selector.wakes
            await asyncio.sleep(3)
            wakes = selector.wakes - before
            stop.request()
            await running
            return wakes

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        # 10 times a second at the file, once at the table; quickly it would be 50.
        assert runner.run(main()) <= 3 * 35
