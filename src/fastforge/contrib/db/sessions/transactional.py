"""TransactionalSession: how a session commits, rolls back and ends, each carried to its end."""

from __future__ import annotations

from typing import Final, cast

import anyio
from sqlalchemy.ext.asyncio import AsyncSession

from ..engine import Engines
from ..internals import failure_of_flush
from .callbacks import OnCommit, run_callbacks
from .guarded import GuardedSession
from .refusals import transaction_failed
from .shield import shielded

__all__ = ["TransactionalSession"]

BETWEEN_LOOKS_S: Final = 0.005
"""How often a rollback looks whether the statement of another task has ended."""


class TransactionalSession(AsyncSession):
    """What the blocks of `atomic` and a unit of work need of a session.

    Args:
        engines: The views of the pool.

    Attributes:
        guarded: The synchronous half.
        waiting: The callbacks that wait for the commit.
    """

    sync_session_class = GuardedSession

    def __init__(self, engines: Engines) -> None:
        super().__init__(
            engines.engine, engines=engines, expire_on_commit=False, close_resets_only=False
        )
        self.guarded = cast(GuardedSession, self.sync_session)
        self.waiting: list[OnCommit] = []

    @property
    def in_atomic(self) -> bool:
        """Whether what is written now belongs to a transaction."""
        return self.guarded.depth > 0

    @property
    def untouched(self) -> bool:
        """Whether nothing has happened in the transaction that a unit of work has opened."""
        return self.guarded.untouched and not self.waiting

    def open(self) -> None:
        """Stand in an outermost `atomic` from now on; it begins with the first statement."""
        self.guarded.enter()

    async def leave(self, *, commit: bool) -> None:
        """End the outermost block.

        Raises:
            ConcurrentSessionUse: With `commit`, when another task stands in a block inside of it.
            TransactionFailed: With `commit`, when something failed that nobody undid.
        """
        if self.guarded.closed:
            return
        try:
            if commit:
                self.guarded.refuse_left_behind()
                await self._commit()
            else:
                await self._rollback()
        except BaseException:
            if commit:
                await self._rollback()
            raise
        finally:
            self.guarded.leave()

    async def end(self, *, commit: bool) -> None:
        """Commit or roll back an open `atomic`, check that nothing is left unwritten, and close.

        Raises:
            ConcurrentSessionUse: As `leave`.
            WriteOutsideAtomic: With `commit`, when new or changed objects were never written.
        """
        guarded = self.guarded
        if guarded.depth:
            await shielded(self._end(commit))
            return
        try:
            if commit and guarded.has_unwritten:
                guarded.refuse_unwritten()
        finally:
            if guarded.in_transaction():
                await self.close()
            else:
                guarded.close()  # without a connection there is nothing to wait for

    async def _end(self, commit: bool) -> None:
        try:
            await self.leave(commit=commit)
        finally:
            self.guarded.depth = 0  # a dependency may hold a nested block past the answer
            await self.close()

    async def _commit(self) -> None:
        if not self.guarded.is_active:  # a flush has failed, and SQLAlchemy has rolled back
            raise transaction_failed() from failure_of_flush(self.guarded)
        await super().commit()
        waiting, self.waiting = self.waiting, []
        if waiting:
            with self.guarded.outside():
                await run_callbacks(waiting)

    async def _rollback(self) -> None:
        self.waiting.clear()
        await self.idle()
        await super().rollback()

    async def _close(self) -> None:
        await self.idle()
        await super().close()

    async def idle(self) -> None:
        """Wait for the statement of a task that was left behind: a driver takes one at a time."""
        while self.guarded.in_use:  # noqa: ASYNC110 - no driver tells when a statement ends
            await anyio.sleep(BETWEEN_LOOKS_S)
