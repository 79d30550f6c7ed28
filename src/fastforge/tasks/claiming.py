"""Claiming: due jobs are taken for the places that are free, in total and by queue."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

from ..lifecycle.backoff import Backoff
from .backend import Claim, Claimed, ClaimRequest, TaskBackend
from .control import ConsumerOptions
from .trouble import Trouble, backoff

__all__ = ["Claimer"]

POLL_S: Final = 1.0
"""How often an idle worker asks although nothing woke it, in seconds."""
LEAST_PAUSE_S: Final = 0.005


class Claimer:
    """Takes due jobs from a backend.

    Queues without a limit of their own are asked for together, each with one by itself, and each
    time another of them comes first.

    Args:
        backend: Where the jobs are.
        worker_id: The worker.
        options: How it works.
        trouble: Told about every failure and success.
        held: Gives all that the worker holds.

    Attributes:
        more_waits: Whether more may be due than there were places for.
    """

    def __init__(
        self,
        backend: TaskBackend,
        worker_id: str,
        options: ConsumerOptions,
        trouble: Trouble,
        held: Callable[[], Collection[Claim]],
    ) -> None:
        self.more_waits = True
        self._backend = backend
        self._worker_id = worker_id
        self._options = options
        self._trouble = trouble
        self._held = held
        self._groups = _groups(options)
        self._answer_lost = False
        self._away_pauses = backoff()
        self._empty_pauses = Backoff(LEAST_PAUSE_S, POLL_S)

    async def claim(self, free: int, taken: Mapping[str, int]) -> Claimed | None:
        """Return what was got; None when the backend could not be asked.

        Args:
            free: For how many jobs there is a place.
            taken: How many places jobs of each queue have.
        """
        claims: list[Claim] = []
        dues: list[float] = []
        self.more_waits = False
        try:
            await self._give_back_strays()
            for queues, places in self._turns(taken):
                limit = min(free - len(claims), places)
                claimed = await self._ask(queues, limit)
                claims.extend(claimed.claims)
                self.more_waits = self.more_waits or len(claimed.claims) >= limit
                if claimed.next_due_s is not None:
                    dues.append(claimed.next_due_s)
        except Exception as error:
            self._answer_lost = self.more_waits = True
            self._trouble.failed("claim", error)
            return Claimed(claims=tuple(claims)) if claims else None
        self._trouble.succeeded("claim")
        self._away_pauses.reset()
        return Claimed(claims=tuple(claims), next_due_s=min(dues, default=None))

    def pause_s(self, claimed: Claimed | None) -> float:
        """Return how long nothing is to be done unless something wakes the worker."""
        if "claim" in self._trouble:
            return self._away_pauses.next_s()
        if claimed is None or claimed.claims:
            self._empty_pauses.reset()
        if claimed is None or claimed.next_due_s is None:
            return POLL_S
        if claimed.next_due_s <= 0 and not claimed.claims:
            # Another worker is just claiming it; or it may not begin, and who knows how long.
            return self._empty_pauses.next_s()
        return min(POLL_S, max(claimed.next_due_s, 0) + LEAST_PAUSE_S)

    async def _ask(self, queues: tuple[str, ...], limit: int) -> Claimed:
        if limit <= 0:
            return Claimed()
        return await self._backend.claim(
            ClaimRequest(
                worker_id=self._worker_id,
                queues=queues,
                limit=limit,
                lease_s=self._options.held_s,
            )
        )

    async def _give_back_strays(self) -> None:
        if self._answer_lost:
            await self._backend.give_back_strays(self._worker_id, self._held())
            self._answer_lost = False

    def _turns(self, taken: Mapping[str, int]) -> Iterator[tuple[tuple[str, ...], int]]:
        """Yield which queues to ask for together, and how many places they have at most."""
        turns = list(self._groups)
        self._groups.append(self._groups.pop(0))
        for queues in turns:
            limit = self._options.limits.get(queues[0])
            if limit is None:
                yield queues, self._options.concurrency
            else:
                yield queues, limit - taken.get(queues[0], 0)


def _groups(options: ConsumerOptions) -> list[tuple[str, ...]]:
    together = tuple(queue for queue in options.queues if queue not in options.limits)
    alone: list[tuple[str, ...]] = [(queue,) for queue in options.queues if queue in options.limits]
    return [together, *alone] if together else alone
