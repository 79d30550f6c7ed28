"""A fastforge project with one task; its worker is `manage runworker`.

Usage, in the project's folder: fastforge_peer.py produce FIRST COUNT GAP_MS
                                fastforge_peer.py fill FIRST COUNT DELAY_S
"""

from __future__ import annotations

import asyncio
import importlib
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from marks import produce

from fastforge import Project, Role

AT_ONCE: Final = 1000


async def main() -> None:
    """Send jobs."""
    project = Project.load("bench.settings")
    empty = importlib.import_module("bench.work.tasks").empty
    async with project.running(Role.COMMAND):
        if sys.argv[1] == "fill":
            await fill(empty)
        else:
            await produce(lambda number: empty.enqueue(number=number))


async def fill(empty: Any) -> None:
    """Send many at once, which are due some time after the first of them was sent."""
    first, count, delay_s = int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    due = empty.using(run_at=datetime.now(UTC) + timedelta(seconds=delay_s))
    for start in range(first, first + count, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, first + count))
        await due.enqueue_many(empty.call(number=number) for number in numbers)
    print(time.monotonic())


if __name__ == "__main__":
    asyncio.run(main())
