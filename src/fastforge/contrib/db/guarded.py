"""GuardedSession: the synchronous half of a session, where every statement passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NoReturn

from sqlalchemy import Connection, Engine, orm
from sqlalchemy.util.concurrency import in_greenlet

from .engine import FAILED, Engines
from .errors import SessionClosed, TransactionMisuse, concurrent_use
from .internals import locks_rows
from .lazy import refuse_lazy_load
from .pinning import Pin
from .places import Place, stands_in
from .refreshing import refresh_stale
from .refusals import locks_nothing, refuse_unwritten, transaction_failed
from .uses import Use

__all__ = ["GuardedSession"]


class GuardedSession(orm.Session):
    """What lets a Session read outside `atomic` without holding a connection.

    Everything that loads, of the user's or of SQLAlchemy's own, calls `execute`, `scalar` or
    `scalars`; everything that asks for a connection calls `get_bind`. So these four are the guard.

    Args:
        engines: The views of the pool.

    Attributes:
        depth: 0 outside `atomic`, 1 in the outermost block, more in nested ones.
        streams: How many streams are open outside `atomic`.
        closed: Whether the session has been closed for good.
        place: The innermost block, which only who stands in it may use; None where there is none,
            or only the transaction of a unit of work, which is everybody's who has the session.
        stale: Whether what is loaded was read before the transaction that runs now.
        spoiled: Whether a block that had no savepoint of its own has failed in this one.
        repeated: Whether the block would be run again if it failed.
        pin: What holds the one connection that everything uses inside `pinned()`.
    """

    def __init__(self, bind: Engine, *, engines: Engines, **options: Any) -> None:
        options.pop("binds", None)
        super().__init__(bind, **options)
        self.engines = engines
        self.depth = 0
        self.streams = 0
        self.closed = False
        self.place: Place | None = None
        self.stale = False
        self.spoiled = False
        self.repeated = False
        self.pin: Pin | None = None
        self._view = engines.write
        self.nesting = 0
        self.user: object = None

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
        if self.closed:
            self.refuse_closed()
        if self.depth:
            view = self._view
        elif self.streams:
            view = self.engines.stream
        elif self.nesting:
            view = self.engines.read
        else:
            raise self.misuse("connection()")
        return view if self.pin is None else self.pin.connection(view)

    def _run(
        self, call: Callable[..., Any], statement: Any, *arguments: Any, **options: Any
    ) -> Any:
        if self.closed:
            self.refuse_closed()
        if not in_greenlet():
            refuse_lazy_load(self, call, statement, *arguments, **options)
        if self.depth:
            self.refuse_strangers()
            self.refresh_if_stale()
        elif locks_rows(statement):
            raise locks_nothing()
        with self._connected():
            return call(statement, *arguments, **options)

    def _connected(self) -> AbstractContextManager[None]:
        """Allow one task to use a connection; give it back at the end of the outermost use."""
        return Use(self)

    @property
    def in_use(self) -> bool:
        """Whether a statement is under way."""
        return self.nesting > 0

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
        if self.depth:
            self.refuse_strangers()
        self._write(objects)

    def _write(self, objects: Sequence[Any] | None = None) -> None:
        self.refuse_closed()
        if not self.depth:
            self.refuse_unwritten()
            return
        if self.has_unwritten:
            self.refresh_if_stale()
        with self._connected():
            super().flush(objects)

    @property
    def has_unwritten(self) -> bool:
        """Whether there are new, changed or deleted objects; an equal value counts as a change."""
        return bool(self.identity_map.check_modified() or self.new or self.deleted)

    def refuse_unwritten(self) -> None:
        """Raise WriteOutsideAtomic if there are new, changed or deleted objects."""
        if self.has_unwritten:
            refuse_unwritten(self)

    def commit(self) -> None:
        """Write what is pending and commit.

        Raises:
            TransactionFailed: PostgreSQL would roll back, and say nothing; or a block that had no
                savepoint of its own has failed.
        """
        self._write()
        if self.spoiled:
            raise transaction_failed()
        transaction = self.get_transaction()
        if transaction is None:
            return
        for connection in transaction.connections:
            if FAILED in connection.info:
                raise transaction_failed() from connection.info[FAILED]
        with self._connected():
            super().commit()

    def rollback(self) -> None:
        """Undo; no other task gets in between."""
        self.spoiled = False
        with self._connected():
            super().rollback()

    def close(self) -> None:
        """End for good."""
        self.closed = True
        self.depth = 0
        super().close()

    def refresh_if_stale(self) -> None:
        """Compare what was read before this transaction with what is there now, once."""
        if self.stale:
            self.stale = False
            refresh_stale(self)

    # --- where it stands ---

    def enter(self, view: Engine | None = None) -> None:
        """Enter the outermost `atomic`; the transaction begins with its first statement.

        Args:
            view: The view of the pool that it uses; None: transactions as the server has them.
        """
        self.refuse_closed()
        if self.streams:
            raise self.misuse("atomic() inside streaming()", hint="open `atomic` around the stream")
        self.depth = 1
        self._view = view or self.engines.write

    def leave(self) -> None:
        """Leave the innermost `atomic`."""
        self.depth = max(0, self.depth - 1)

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Stand outside for a while, where a transaction has ended and its block has not."""
        stood = self.depth, self._view, self.place
        self.depth, self.place = 0, None
        try:
            yield
        finally:
            if not self.closed:
                self.depth, self._view, self.place = stood

    @property
    def untouched(self) -> bool:
        """Whether it stands in the transaction of a unit of work and nothing has happened there."""
        if self.depth != 1 or self.place is not None or self.has_unwritten:
            return False
        return not self.holds_connection

    @property
    def holds_connection(self) -> bool:
        """Whether a transaction has begun."""
        transaction = self.get_transaction()
        return transaction is not None and bool(transaction.connections)

    def open_savepoint(self) -> orm.SessionTransaction:
        """Open a savepoint and enter it."""
        self.refresh_if_stale()
        with self._connected():
            savepoint = super().begin(nested=True)
        self.depth += 1
        return savepoint

    def release(self, savepoint: orm.SessionTransaction, *, spoiled: bool) -> None:
        """Keep what a savepoint wrote, unless a part of it has failed."""
        if spoiled or not savepoint.is_active:
            raise transaction_failed()
        with self._connected():
            savepoint.commit()

    def undo(self, savepoint: orm.SessionTransaction) -> None:
        """Undo what a savepoint wrote, unless it has ended already."""
        if self.get_nested_transaction() is savepoint:
            with self._connected():
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

    def hold(self) -> None:
        """Use one connection from now on."""
        with self._connected():
            self.pin = Pin(self.engines)

    def let_go(self) -> None:
        """Close that connection."""
        pin, self.pin = self.pin, None
        if pin is not None:
            self.give_back()
            pin.drop()

    # --- what is refused ---

    def begin(self, nested: bool = False) -> NoReturn:
        """Refuse: `atomic` is the one way to begin."""
        raise self.misuse("begin_nested()" if nested else "begin()")

    def refuse_strangers(self) -> None:
        """Raise ConcurrentSessionUse in a task that does not stand in the innermost block."""
        if self.place is not None and not stands_in(self.place):
            raise concurrent_use()

    def refuse_pinning(self) -> None:
        """Raise where one connection cannot be held, or is held already."""
        self.refuse_closed()
        if self.depth or self.streams or self.pin is not None:
            raise self.misuse(
                "pinned() inside `atomic`, a stream or another pinned()",
                "there is one connection already; open `pinned` around the other block",
            )
        self.engines.refuse_pooler("pinned()")

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
