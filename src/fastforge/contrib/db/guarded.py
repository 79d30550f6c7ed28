"""GuardedSession: the synchronous half of a session, where every statement passes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from sqlalchemy import Connection, Engine, exc, orm
from sqlalchemy.util.concurrency import in_greenlet

from .engine import FAILED, Engines
from .errors import (
    PoolExhausted,
    SessionClosed,
    TransactionFailed,
    TransactionMisuse,
    WriteOutsideAtomic,
    concurrent_use,
)
from .internals import locks_rows
from .lazy import refuse_lazy_load

__all__ = ["GuardedSession"]


class GuardedSession(orm.Session):
    """What lets a Session read outside `atomic` without holding a connection.

    Everything that loads, of the user's or of SQLAlchemy's own, calls `execute`, `scalar` or
    `scalars`; everything that asks for a connection calls `get_bind`. So these four are the guard.

    Args:
        engines: The views of the pool.

    Attributes:
        depth: 0 outside `atomic`, 1 in the outermost block, more in savepoints.
        streams: How many streams are open outside `atomic`.
        closed: Whether the session has been closed for good.
    """

    def __init__(self, bind: Engine, *, engines: Engines, **options: Any) -> None:
        options.pop("binds", None)
        super().__init__(bind, **options)
        self.engines = engines
        self.depth = 0
        self.streams = 0
        self.closed = False
        self._nesting = 0
        self._task: asyncio.Task[Any] | None = None

    # --- every statement ---

    def execute(self, statement: Any, *arguments: Any, **options: Any) -> Any:
        """Run a statement; outside `atomic`, give its connection back when it has run."""
        return self._run(super().execute, statement, *arguments, **options)

    def scalar(self, statement: Any, *arguments: Any, **options: Any) -> Any:
        """Run a statement and return the first column of its first row."""
        return self._run(super().scalar, statement, *arguments, **options)

    def scalars(self, statement: Any, *arguments: Any, **options: Any) -> Any:
        """Run a statement and return the first column of its rows."""
        return self._run(super().scalars, statement, *arguments, **options)

    def get_bind(self, *_arguments: Any, **_options: Any) -> Engine | Connection:
        """Return the view of the pool that fits where the session stands."""
        self.refuse_closed()
        if self.depth:
            return self.engines.write
        if self.streams:
            return self.engines.stream
        if not self._nesting:
            raise self.misuse("connection()")
        return self.engines.read

    def _run(
        self, call: Callable[..., Any], statement: Any, *arguments: Any, **options: Any
    ) -> Any:
        self.refuse_closed()
        if not in_greenlet():
            refuse_lazy_load(self, call, statement, *arguments, **options)
        if not self.depth:
            _refuse_lock(statement)
        with self._connected():
            return call(statement, *arguments, **options)

    @contextmanager
    def _connected(self) -> Iterator[None]:
        """Allow one task to use a connection; give it back at the end of the outermost use.

        A loader such as selectinload runs statements inside a statement, hence the count. The
        rows need no connection any more: SQLAlchemy's asyncio drivers fetch all of them at once.
        """
        task = asyncio.current_task()
        if self._nesting and self._task is not task:
            raise concurrent_use()
        self._task = task
        self._nesting += 1
        try:
            yield
        except exc.TimeoutError as error:
            raise self._exhausted() from error
        finally:
            self._nesting -= 1
            if not self._nesting:
                self._task = None  # a circle, where it is a task that a commit has to itself
                if not self.depth and not self.streams:
                    self.give_back()

    @property
    def in_use(self) -> bool:
        """Whether a statement is under way."""
        return self._nesting > 0

    def give_back(self) -> None:
        """Return the connection; neither flushes nor expires nor forgets anything."""
        transaction = self.get_transaction()
        if transaction is not None:
            transaction.close()

    # --- what is to be written ---

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        """Write what is pending; outside `atomic`, refuse if there is anything.

        Raises:
            WriteOutsideAtomic: With the names of the classes.
        """
        self.refuse_closed()
        if not self.depth:
            self.refuse_unwritten()
            return
        with self._connected():
            super().flush(objects)

    def refuse_unwritten(self) -> None:
        """Raise WriteOutsideAtomic if there are new, changed or deleted objects."""
        if not (self.new or self.deleted or self.identity_map.check_modified()):
            return
        changed = (instance for instance in self.dirty if self.is_modified(instance))
        names = [type(instance).__name__ for instance in (*self.new, *changed, *self.deleted)]
        if names:
            raise WriteOutsideAtomic(
                f"objects were added, changed or deleted outside a transaction and are not written:"
                f" {', '.join(names[:5])}{', ...' if len(names) > 5 else ''}",
                code="db.E002",
                hint="do it inside `async with db.atomic():`",
            )

    def commit(self) -> None:
        """Write what is pending and commit.

        Raises:
            TransactionFailed: PostgreSQL would roll back, and say nothing.
        """
        self.flush()
        transaction = self.get_transaction()
        if transaction is None:
            return
        for connection in transaction.connections:
            if FAILED in connection.info:
                raise _failed() from connection.info[FAILED]
        with self._connected():
            super().commit()

    def rollback(self) -> None:
        """Undo; no other task gets in between."""
        with self._connected():
            super().rollback()

    def close(self) -> None:
        """End for good."""
        self.closed = True
        self.depth = 0
        super().close()

    # --- where it stands ---

    def enter(self) -> None:
        """Enter the outermost `atomic`; the transaction begins with its first statement."""
        self.refuse_closed()
        if self.streams:
            raise self.misuse("atomic() inside streaming()", hint="open `atomic` around the stream")
        self.depth = 1

    def leave(self) -> None:
        """Leave the innermost `atomic`."""
        self.depth = max(0, self.depth - 1)

    def open_savepoint(self) -> orm.SessionTransaction:
        """Open a savepoint and enter it."""
        with self._connected():
            savepoint = super().begin(nested=True)
        self.depth += 1
        return savepoint

    def release(self, savepoint: orm.SessionTransaction) -> None:
        """Keep what a savepoint wrote."""
        if not savepoint.is_active:
            raise _failed()
        savepoint.commit()

    def undo(self, savepoint: orm.SessionTransaction) -> None:
        """Undo what a savepoint wrote, unless it has ended already."""
        if self.get_nested_transaction() is savepoint:
            savepoint.rollback()

    @contextmanager
    def streaming(self) -> Iterator[None]:
        """Hold a connection for what runs inside."""
        self.refuse_closed()
        self.streams += not self.depth
        outside = not self.depth
        try:
            yield
        finally:
            self.streams -= outside

    def begin(self, nested: bool = False) -> NoReturn:
        """Refuse: `atomic` is the one way to begin."""
        raise self.misuse("begin_nested()" if nested else "begin()")

    def refuse_closed(self) -> None:
        """Raise SessionClosed once the session has been closed."""
        if self.closed:
            raise SessionClosed(
                "this session has ended with the request, job or block that it belonged to",
                code="db.E004",
                hint="in a background task or a stream open one: `async with session() as db:`",
            )

    def misuse(self, call: str, hint: str = "write `async with db.atomic():`") -> TransactionMisuse:
        """Return the error for a call that `atomic` replaces."""
        return TransactionMisuse(f"{call} is refused here", code="db.E012", hint=hint)

    def _exhausted(self) -> PoolExhausted:
        return PoolExhausted(
            f"no connection was free within {self.engines.pool_timeout_s:g} s: all of this process"
            " are inside `atomic` or a stream",
            code="db.E007",
            hint="shorten what runs inside `atomic`, or raise pool_size in DATABASES",
        )


def _refuse_lock(statement: Any) -> None:
    if locks_rows(statement):
        raise WriteOutsideAtomic(
            "FOR UPDATE outside a transaction locks nothing",
            code="db.E003",
            hint="put it inside `async with db.atomic():`",
        )


def _failed() -> TransactionFailed:
    return TransactionFailed(
        "a statement of this transaction failed, so nothing of it can be committed",
        code="db.E013",
        hint="let the error through, or put what may fail into a nested `async with db.atomic():`",
    )
