"""Upkeep: what every worker mends and tidies at each of its beats; there is no leader."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from typing import Any

from .enqueueing import Executes
from .promotion import Sweep
from .statements import pruning
from .statements.idiom import Idiom
from .statements.settling import Retention

__all__ = ["Upkeep"]


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
        yield self._prune

    async def _prune(self, connection: Executes) -> None:
        """Delete old jobs; of all else that may be old, one kind at each beat."""
        await connection.execute(pruning.prune_jobs(self._idiom))
        others = pruning.prune_others(self._idiom, self._kept)
        await connection.execute(others[next(self._turn) % len(others)])
