"""taskiq on a Redis stream, the fastest of the queues on Redis that loses nothing.

Usage: `taskiq worker taskiq_peer:broker --workers 1` | taskiq_peer.py produce FIRST COUNT GAP_MS
"""

from __future__ import annotations

import asyncio
import os

from marks import STARTED, mark, produce
from taskiq_redis import RedisStreamBroker

broker = RedisStreamBroker(url=os.environ.get("BENCH_REDIS_URL", "redis://"))


@broker.task(task_name="empty")
async def empty(number: int) -> None:
    """Do nothing."""
    mark(STARTED, number)


async def main() -> None:
    """Send jobs."""
    await broker.startup()
    await produce(empty.kiq)
    await broker.shutdown()


if __name__ == "__main__":
    asyncio.run(main())
