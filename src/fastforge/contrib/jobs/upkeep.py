"""Upkeep: what every worker mends and tidies at each of its beats; there is no leader."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from typing import Any, Final

import sqlalchemy as sa

from .enqueueing import Executes
from .promotion import Sweep
from .statements import pruning
from .statements.idiom import Idiom
from .statements.settling import Retention

__all__ = ["Upkeep"]

PRUNE_FOR_S: Final = 0.5
"""For how long old rows of a kind are deleted at one beat, if there are so many.

Meanwhile no lease is renewed. One statement alone would keep pace with 160 jobs a second.
"""


class Upkeep:
    """Gives the few small transactions of one beat.

    Args:
        idiom: How statements are written.
        kept: How long ended jobs are kept.
    """

    def __init__(self, idiom: Idiom, kept: Retention) -> None:
        self._idiom = idiom
        self._kept = kept
        self._sweep = Sweep(idiom)
        self._turn = count()

    def tick(self) -> Iterator[Callable[[Executes], Awaitable[Any]]]:
        """Yield what is done at a beat, each in a transaction of its own."""
        yield self._sweep.slots
        yield self._sweep.paces
        others = pruning.prune_others(self._idiom, self._kept)
        # Of all else that may be old, one kind at each beat.
        other = others[next(self._turn) % len(others)]
        for statement in (pruning.prune_jobs(self._idiom), other):
            until = time.monotonic() + PRUNE_FOR_S
            prune = _Pruning(statement)
            yield prune
            while prune.leaves_more and time.monotonic() < until:
                yield prune


class _Pruning:
    """Deletes old rows of one kind, some at each call.

    Attributes:
        leaves_more: Whether there may be more of them.
    """

    def __init__(self, statement: sa.Executable) -> None:
        self.leaves_more = False
        self._statement = statement

    async def __call__(self, connection: Executes) -> None:
        # Not `rowcount`: SQLite's driver does not count what begins with WITH.
        deleted = (await connection.execute(self._statement)).all()
        self.leaves_more = len(deleted) >= pruning.PRUNE_LIMIT
