"""Session: reads that hold nothing, and `atomic`, outside which nothing is written."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any, Never, NoReturn, Self

from sqlalchemy.ext.asyncio import AsyncResult

from ..engine import Isolation
from ..errors import TransactionMisuse
from .blocks import block
from .callbacks import Callback, OnCommit
from .lookups import Lookups
from .nesting import PLAIN, AtomicBlock, BlockOptions
from .refusals import refuse_argument
from .shield import shielded
from .transactional import TransactionalSession

__all__ = ["Session"]


class Session(Lookups, TransactionalSession):
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
    Objects that were changed before `atomic` are written by it, unless somebody else has changed
    the same attribute since they were read. An object that is never written raises at the end of
    the request or job.

    Args:
        engines: The views of the pool.
    """

    def atomic(
        self,
        *,
        durable: bool = False,
        savepoint: bool = True,
        isolation: Isolation | None = None,
        read_only: bool = False,
        **unknown: Never,
    ) -> AtomicBlock[Self]:
        """Run a block in a transaction; inside another block, in a savepoint.

        The outermost block commits at its end and rolls back when it is left by an exception. The
        commit is not interrupted by a cancellation. What was read before the outermost block is
        read again, so that nobody else's change is overwritten.

        ```python
        async with db.atomic(isolation="serializable"):
            ...
        ```

        Surprises: a block with `durable`, `isolation` or `read_only` that is the first thing to
        happen in a request's own transaction takes its place: it ends at the end of the block,
        whatever the answer will be.

        Args:
            durable: Refuse to stand in another block: what it wrote is committed at its end.
            savepoint: With False a block inside another one is a part of it. When it fails, the
                block around cannot be kept either.
            isolation: "read committed", "repeatable read" or "serializable"; SQLite is always the
                last. For the outermost block.
            read_only: Refuse to write. For the outermost block.

        Raises:
            TransactionFailed: A statement of the block failed and its error was swallowed.
            TransactionMisuse: It cannot stand here.
            StaleObject: An attribute was changed before the block, here and by somebody else.
        """
        if unknown:
            raise refuse_argument(unknown)
        if savepoint and not (durable or isolation or read_only):
            return AtomicBlock(self, PLAIN)
        options = BlockOptions(
            durable=durable, savepoint=savepoint, isolation=isolation, read_only=read_only
        )
        return AtomicBlock(self, options)

    @block
    async def streaming(
        self, statement: Any, params: Any = None, **options: Any
    ) -> AsyncIterator[AsyncResult[Any]]:
        """Run a statement and give its rows as they come, in a transaction that only reads.

        It holds its connection to the end of the block.

        ```python
        async with db.streaming(select(Order)) as orders:
            async for order in orders.scalars(): ...
        ```
        """
        with self.guarded.streaming():
            result = None
            try:
                result = await super().stream(statement, params, **options)
                yield result
            finally:
                await shielded(self._end_stream(result))

    @block
    async def pinned(self) -> AsyncIterator[Self]:
        """Use one connection for everything in a block: for temporary tables and session locks.

        Outside of it each statement may meet another connection, which knows nothing of what the
        last one has set. `atomic` inside of it uses the same connection; writing outside `atomic`
        stays refused.

        ```python
        async with db.pinned():
            await db.execute(text("SELECT pg_advisory_lock(7)"))
            ...
        ```

        Surprises: the connection is held to the end of the block and closed there, so that no lock
        and no temporary table is found by whoever would have it next.

        Raises:
            TransactionMisuse: Inside `atomic`, which has one connection anyway, or in `pinned`; or
                a pooler stands in between, which gives each transaction another one.
        """
        self.guarded.refuse_pinning()
        await self.run_sync(lambda _: self.guarded.hold())
        try:
            yield self
        finally:
            await shielded(self.run_sync(lambda _: self.guarded.let_go()))

    def on_commit(self, callback: Callback, *, robust: bool = True) -> None:
        """Call a function, plain or async, once the outermost block has committed.

        Callbacks run in order, before the answer is sent, and share one second. One that fails is
        logged and changes nothing. Those of a savepoint that rolls back are forgotten.

        Args:
            callback: The function.
            robust: Whether those after it run also when it fails.

        Raises:
            TransactionMisuse: There is no transaction to wait for.
        """
        if not self.in_atomic:
            raise TransactionMisuse(
                "on_commit was called outside a transaction",
                code="db.E009",
                hint="call the function itself, or do it inside `async with db.atomic():`",
            )
        self.waiting.append(OnCommit(callback, robust))

    async def commit(self) -> None:
        """Commit for good and go on in a new transaction; loaded objects keep their values.

        What somebody else has changed meanwhile is read again by the next statement.

        Raises:
            TransactionMisuse: Inside a nested block, whose work is not to be decided alone, or in
                a function that would be run again.
            WriteOutsideAtomic: There is no transaction, but there is something to write.
            SessionClosed: The request, job or block that it belonged to is over.
        """
        self.guarded.refuse_closed()
        self._refuse_in_savepoint("commit")
        if not self.in_atomic:
            self.guarded.refuse_unwritten()
            return
        self._refuse_repeated()
        await shielded(self._commit())
        self.guarded.stale = bool(self.guarded.identity_map)

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
        if not self.in_atomic and not self.guarded.streams:
            raise TransactionMisuse(
                "a stream outside `atomic` has nothing that gives its connection back",
                code="db.E010",
                hint="write `async with db.streaming(statement) as rows:`",
            )
        result: AsyncResult[Any] = await super().stream(statement, *arguments, **options)
        return result

    def add(self, instance: object, **options: Any) -> None:
        """Let an object be written by the next flush.

        Raises:
            SessionClosed: There will be none: the request, job or block is over.
        """
        self.guarded.refuse_closed()
        super().add(instance, **options)

    def add_all(self, instances: Iterable[object]) -> None:
        """Let objects be written by the next flush.

        Raises:
            SessionClosed: As `add`.
        """
        self.guarded.refuse_closed()
        super().add_all(instances)

    def begin(self) -> NoReturn:
        """Refuse: `atomic` is the one way to begin."""
        raise self.guarded.misuse("begin()")

    def begin_nested(self) -> NoReturn:
        """Refuse: `atomic` inside `atomic` is a savepoint."""
        raise self.guarded.misuse("begin_nested()")

    async def close(self) -> None:
        """End the session; what is not committed is rolled back. Using it again raises."""
        if self.in_atomic:
            raise TransactionMisuse(
                "close() inside a transaction would undo what it wrote, without a word",
                code="db.E024",
                hint="leave it out: the session ends with its request, job or block",
            )
        self.waiting.clear()
        if self.in_transaction():
            await shielded(self._close())
        else:
            self.guarded.close()  # without a connection there is nothing to wait for

    async def __aexit__(self, type_: object, value: object, traceback: object) -> None:
        """End the session by how the block was left."""
        await self.end(commit=type_ is None)

    async def _end_stream(self, result: AsyncResult[Any] | None) -> None:
        try:
            if result is not None:
                await result.close()
        finally:
            await self.run_sync(lambda _: self.guarded.give_back())

    def _refuse_in_savepoint(self, call: str) -> None:
        if self.guarded.depth > 1:
            raise TransactionMisuse(
                f"{call}() inside a nested `atomic` would decide about the outer block as well",
                code="db.E011",
                hint="leave the nested block first; its end releases it, an exception undoes it",
            )

    def _refuse_repeated(self) -> None:
        if self.guarded.repeated:
            raise TransactionMisuse(
                "commit() in a function with @atomic(retries=...) would keep what the next attempt"
                " does again",
                code="db.E038",
                hint="let it end: it commits by itself",
            )
