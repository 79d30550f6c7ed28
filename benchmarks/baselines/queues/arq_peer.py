"""Plain arq with 100 slots, which is what its users tune first.

Usage: arq_peer.py worker | arq_peer.py produce FIRST COUNT GAP_MS
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from arq import create_pool
from arq.connections import RedisSettings
from arq.worker import run_worker
from marks import STARTED, mark, produce

SERVER = RedisSettings.from_dsn(os.environ.get("BENCH_REDIS_URL", "redis://"))


async def empty(_context: dict[str, Any], number: int) -> None:
    """Do nothing."""
    mark(STARTED, number)


class WorkerSettings:
    """What arq reads."""

    functions = (empty,)
    redis_settings = SERVER
    max_jobs = int(os.environ.get("BENCH_SLOTS", "100"))


async def main() -> None:
    """Send jobs."""
    pool = await create_pool(SERVER)
    await produce(lambda number: pool.enqueue_job("empty", number))
    await pool.aclose()


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        run_worker(WorkerSettings)  # type: ignore[arg-type]
    else:
        asyncio.run(main())
