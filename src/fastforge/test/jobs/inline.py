"""Inline: jobs run where they are enqueued, once the transaction around has committed."""

from __future__ import annotations

import functools
from typing import Final

import anyio

from ...exceptions import TaskError
from ...lifecycle import Container, transaction_here
from ...tasks import TaskBackend
from .draining import Draining

__all__ = ["Inline"]

LIMIT: Final = 1000


class Inline:
    """Runs what is due after each enqueueing, and keeps what the jobs raise.

    Attributes:
        failures: What they raised, in order.
    """

    def __init__(self) -> None:
        self.failures: list[BaseException] = []
        self._busy = False

    async def enqueued(self, container: Container, backend: TaskBackend) -> None:
        """Run what is due now, or when the transaction here commits."""
        run = functools.partial(self._run, container, backend)
        transaction = transaction_here(container.registry)
        if transaction is None:
            await run()
        else:
            transaction.on_commit(run)

    async def _run(self, container: Container, backend: TaskBackend) -> None:
        if self._busy:  # a job has enqueued: whoever runs it comes to that next
            return
        self._busy = True
        draining = Draining(container, backend, limit=LIMIT)
        try:
            # A commit gives what it starts one second, for production: a test has all the time.
            with anyio.CancelScope(shield=True):
                await draining.run(with_scheduled=False, raises=False)
        except TaskError as error:
            self.failures.append(error)
        finally:
            self._busy = False
            self.failures.extend(draining.failures)
