"""Wake-up: how a worker learns at once that a transaction somewhere has committed a job."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from ..db.listening import listen
from .statements.tables import CHANNEL

__all__ = ["watch"]

QUICK_S: Final = 0.015
SLOW_S: Final = 0.1
QUICK_FOR_S: Final = 1.0
"""How long after the last change a SQLite file is looked at every 15 ms; then every 100 ms.

Were it longer, the beats of idle workers, which are changes, would keep them looking quickly.
"""


async def watch(engine: AsyncEngine, wake: Callable[[], None]) -> None:
    """Call `wake` once when it listens, then whenever jobs may have been committed.

    It goes on until cancelled.

    Raises:
        Exception: The connection is lost. The caller begins again; it also polls meanwhile.
    """
    if engine.dialect.name == "sqlite":
        await _watch_file(str(engine.url.database), wake)
    else:
        # When it listens, what was committed before is to be looked for.
        await listen(engine, CHANNEL, lambda _: wake(), began=wake)


async def _watch_file(path: str, wake: Callable[[], None]) -> None:
    """Watch `data_version`, which changes when another connection has committed.

    It reads no table and takes no lock. In 15 us it is called on the event loop: through a
    thread it would cost more than it waits.
    """
    with closing(sqlite3.connect(path)) as connection:
        seen, changed_at = None, time.monotonic()
        while True:
            (version,) = connection.execute("PRAGMA data_version").fetchone()
            if version != seen:
                seen, changed_at = version, time.monotonic()
                wake()
            idle_s = time.monotonic() - changed_at
            await asyncio.sleep(QUICK_S if idle_s < QUICK_FOR_S else SLOW_S)
