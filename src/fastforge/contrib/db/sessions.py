"""Session: reads that hold nothing, and `atomic`, outside which nothing is written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final, NoReturn, Self, cast

import anyio
from sqlalchemy.ext.asyncio import AsyncResult

from .blocks import block
from .callbacks import Callback, run_callbacks
from .engine import Engines
from .errors import TransactionMisuse, concurrent_use
from .guarded import GuardedSession
from .lookups import Lookups
from .refreshing import refresh_stale
from .shield import shielded

__all__ = ["Session"]

BETWEEN_LOOKS_S: Final = 0.005
"""How often a rollback looks whether the statement of another task has ended."""


class Session(Lookups):
    """SQLAlchemy's AsyncSession with Django's rule: autocommit until `atomic`.

    Outside `atomic` every statement stands for itself and its connection goes back to the pool at
    once, so a session may live as long as a socket. Writing there is refused. Inside, all of it is
    written at the end of the outermost block or none.

    ```python
    order = await db.get(Order, order_id)          # one round trip, no connection held
    async with db.atomic():                        # reads `order` again, in the transaction
        order.paid = True
    ```

    Surprises: after a rollback, also to a savepoint, loaded objects are expired: read them again.
    Objects that were changed before `atomic` are written by it. An object that is never written
    raises at the end of the request or job.

    Args:
        engines: The views of the pool.
    """

    sync_session_class = GuardedSession

    def __init__(self, engines: Engines) -> None:
        super().__init__(
            engines.engine, engines=engines, expire_on_commit=False, close_resets_only=False
        )
        self._callbacks: list[Callback] = []
        self._owner: asyncio.Task[Any] | None = None

    @property
    def _guarded(self) -> GuardedSession:
        return cast(GuardedSession, self.sync_session)

    @property
    def in_atomic(self) -> bool:
        """Whether what is written now belongs to a transaction."""
        return self._guarded.depth > 0

    @block
    async def atomic(self) -> AsyncIterator[Self]:
        """Run a block in a transaction; inside another block, in a savepoint.

        The outermost block commits at its end and rolls back when it is left by an exception. The
        commit is not interrupted by a cancellation. What was read before the outermost block is
        read again, so that nobody else's change is overwritten.

        Raises:
            TransactionFailed: A statement of the block failed and its error was swallowed.
        """
        self._refuse_other_task()
        manager = self._savepoint() if self.in_atomic else self._transaction()
        async with manager:
            yield self

    @block
    async def streaming(
        self, statement: Any, params: Any = None, **options: Any
    ) -> AsyncIterator[AsyncResult[Any]]:
        """Run a statement and give its rows as they come, in a transaction that only reads.

        It holds its connection to the end of the block: the one way to do so outside `atomic`.

        ```python
        async with db.streaming(select(Order)) as orders:
            async for order in orders.scalars(): ...
        ```
        """
        with self._guarded.streaming():
            result = None
            try:
                result = await super().stream(statement, params, **options)
                yield result
            finally:
                await shielded(self._end_stream(result))

    def on_commit(self, callback: Callback) -> None:
        """Call a function, plain or async, once the outermost block has committed.

        Callbacks run in order, before the answer is sent, and share one second. One that fails is
        logged and changes nothing. Those of a savepoint that rolls back are forgotten.

        Raises:
            TransactionMisuse: There is no transaction to wait for.
        """
        if not self.in_atomic:
            raise TransactionMisuse(
                "on_commit was called outside a transaction",
                code="db.E009",
                hint="call the function itself, or do it inside `async with db.atomic():`",
            )
        self._callbacks.append(callback)

    async def commit(self) -> None:
        """Commit for good and go on in a new transaction; loaded objects keep their values.

        Raises:
            TransactionMisuse: Inside a nested block, whose work is not to be decided alone.
            WriteOutsideAtomic: There is no transaction, but there is something to write.
        """
        self._refuse_in_savepoint("commit")
        if self.in_atomic:
            await shielded(self._commit())
        else:
            self._guarded.refuse_unwritten()

    async def rollback(self) -> None:
        """Undo everything since the last commit and go on in a new transaction.

        Raises:
            TransactionMisuse: Inside a nested block: leave it by an exception.
        """
        self._refuse_in_savepoint("rollback")
        await shielded(self._rollback())

    async def stream(self, statement: Any, *arguments: Any, **options: Any) -> AsyncResult[Any]:
        """Run a statement inside `atomic` and give its rows as they come.

        Raises:
            TransactionMisuse: Outside `atomic`, where nothing would give the connection back.
        """
        if not self.in_atomic and not self._guarded.streams:
            raise TransactionMisuse(
                "a stream outside `atomic` has nothing that gives its connection back",
                code="db.E010",
                hint="write `async with db.streaming(statement) as rows:`",
            )
        result: AsyncResult[Any] = await super().stream(statement, *arguments, **options)
        return result

    def begin(self) -> NoReturn:
        """Refuse: `atomic` is the one way to begin."""
        raise self._guarded.misuse("begin()")

    def begin_nested(self) -> NoReturn:
        """Refuse: `atomic` inside `atomic` is a savepoint."""
        raise self._guarded.misuse("begin_nested()")

    async def close(self) -> None:
        """End the session; what is not committed is rolled back. Using it again raises."""
        self._callbacks.clear()
        if self.in_atomic:
            raise TransactionMisuse(
                "close() inside a transaction would undo what it wrote, without a word",
                code="db.E024",
                hint="leave it out: the session ends with its request, job or block",
            )
        if self.in_transaction():
            await shielded(self._close())
        else:
            self._guarded.close()  # without a connection there is nothing to wait for

    async def __aexit__(self, type_: object, value: object, traceback: object) -> None:
        """End the session by how the block was left."""
        await self.end(commit=type_ is None)

    # What a unit of work needs, besides the above.

    def open(self) -> None:
        """Stand in an outermost `atomic` from now on; it begins with the first statement."""
        self._guarded.enter()

    async def end(self, *, commit: bool) -> None:
        """Commit or roll back an open `atomic`, check that nothing is left unwritten, and close.

        Raises:
            WriteOutsideAtomic: With `commit`, when new or changed objects were never written.
        """
        if self.in_atomic:
            await shielded(self._end(commit))
            return
        try:
            if commit:
                self._guarded.refuse_unwritten()
        finally:
            await self.close()

    async def _end(self, commit: bool) -> None:
        try:
            await self._leave(commit)
        finally:
            await self.close()

    @block
    async def _transaction(self) -> AsyncIterator[None]:
        self._guarded.enter()
        self._owner = asyncio.current_task()
        try:
            if self._guarded.identity_map:
                await self.run_sync(refresh_stale)
            yield
        except BaseException:
            await shielded(self._leave(commit=False))
            raise
        await shielded(self._leave(commit=True))

    @block
    async def _savepoint(self) -> AsyncIterator[None]:
        mark = len(self._callbacks)
        savepoint = await self.run_sync(lambda _: self._guarded.open_savepoint())
        try:
            yield
            await self.run_sync(lambda _: self._guarded.release(savepoint))
        except BaseException:
            del self._callbacks[mark:]
            await shielded(self.run_sync(lambda _: self._guarded.undo(savepoint)))
            raise
        finally:
            self._guarded.leave()

    async def _leave(self, commit: bool) -> None:
        """End the outermost block."""
        if self._guarded.closed:
            return
        try:
            if commit:
                await self._commit()
            else:
                await self._rollback()
        except BaseException:
            if commit:
                await self._rollback()
            raise
        finally:
            self._guarded.leave()
            self._owner = None

    async def _commit(self) -> None:
        await super().commit()
        callbacks, self._callbacks = self._callbacks, []
        if callbacks:
            depth, self._guarded.depth = self._guarded.depth, 0  # the transaction is over
            try:
                await run_callbacks(callbacks)
            finally:
                self._guarded.depth = depth

    async def _rollback(self) -> None:
        self._callbacks.clear()
        await self._idle()
        await super().rollback()

    async def _close(self) -> None:
        await self._idle()
        await super().close()

    async def _idle(self) -> None:
        """Wait for the statement of a task that was left behind: a driver takes one at a time."""
        while self._guarded.in_use:  # noqa: ASYNC110 - no driver tells when a statement ends
            await anyio.sleep(BETWEEN_LOOKS_S)

    async def _end_stream(self, result: AsyncResult[Any] | None) -> None:
        try:
            if result is not None:
                await result.close()
        finally:
            await self.run_sync(lambda _: self._guarded.give_back())

    def _refuse_other_task(self) -> None:
        """Refuse a block that another task opens in this one's transaction: it is not its own."""
        if self.in_atomic and self._owner not in (None, asyncio.current_task()):
            raise concurrent_use()

    def _refuse_in_savepoint(self, call: str) -> None:
        if self._guarded.depth > 1:
            raise TransactionMisuse(
                f"{call}() inside a nested `atomic` would decide about the outer block as well",
                code="db.E011",
                hint="leave the nested block first; its end releases it, an exception undoes it",
            )
