"""StandingSession: where a session stands: outside, in a block, in a stream, on one connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, exc, orm

from ..engine import Engines
from ..errors import TransactionMisuse, concurrent_use
from ..internals import SessionOfLentConnections, failure_of_flush, has_unwritten
from ..pool.failures import failure_of, is_refused_after_failure
from ..pool.single import Single
from .pinning import Pin
from .places import Place, stands_in
from .refreshing import refresh_stale
from .refusals import (
    AROUND,
    left_in_a_block,
    refused_here,
    session_closed,
    transaction_failed,
)
from .uses import Use

__all__ = ["StandingSession"]


class StandingSession(SessionOfLentConnections):
    """What a session knows of its blocks, and how it goes from one to the next.

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
        self._single: Single | None = None
        self.nesting = 0
        self.user: object = None

    # --- its connection ---

    def _connected(self) -> AbstractContextManager[None]:
        """Allow one task to use a connection; give it back at the end of the outermost use."""
        return Use(self)

    @property
    def in_use(self) -> bool:
        """Whether a statement is under way."""
        return self.nesting > 0

    def give_back(self) -> None:
        """Return the connection; neither flushes nor expires nor forgets anything."""
        single, self._single = self._single, None
        if single is not None:
            single.close()
        transaction = self.get_transaction()
        if transaction is not None:
            transaction.close()

    def lent_connection(self, bind: Any) -> Connection | None:
        """Return the connection of a statement that stands for itself; None for all others."""
        if bind is not self.engines.single:
            return None
        if self._single is None:
            self._single = Single(self.engines.single)
        return self._single.connection

    def explain(self, error: BaseException) -> None:
        """Raise TransactionFailed for what SQLAlchemy, or PostgreSQL, refuses after a failure."""
        if isinstance(error, exc.PendingRollbackError) or is_refused_after_failure(error):
            raise transaction_failed() from self._failure or error

    @property
    def _failure(self) -> BaseException | None:
        """What has failed in this transaction, as far as it is known."""
        transaction = self.get_transaction()
        connections = () if transaction is None else transaction.connections
        failures = (failure_of(connection) for connection in connections)
        return failure_of_flush(self) or next(filter(None, failures), None)

    # --- what is loaded, and what is not written ---

    @property
    def has_unwritten(self) -> bool:
        """Whether there are new, changed or deleted objects; an equal value counts as a change."""
        return has_unwritten(self)

    def refresh_if_stale(self) -> None:
        """Compare what was read before this transaction with what is there now, once."""
        if self.stale:
            self.stale = False
            refresh_stale(self)

    # --- blocks ---

    @property
    def sees_others(self) -> bool:
        """Whether it stands in a transaction that sees what others commit meanwhile."""
        return self.depth > 0 and self._view is self.engines.write

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

    def refuse_strangers(self) -> None:
        """Raise ConcurrentSessionUse in a task that does not stand in the innermost block."""
        if self.place is not None and not stands_in(self.place):
            raise concurrent_use()

    def refuse_left_behind(self) -> None:
        """Raise ConcurrentSessionUse where another task is in a block inside of what ends here."""
        if self.place is not None and not stands_in(self.place):
            raise left_in_a_block()

    def take_over(self, task: int) -> None:
        """Let whoever ends the session stand in the block that a task has entered.

        A dependency may hold a block past the answer, and a middleware of the usual kind inside a
        mounted application runs it in a task that is not the one which sends the answer.
        """
        if self.place is not None and self.place.task == task:
            self.place = None

    def refuse_pinning(self) -> None:
        """Raise where one connection cannot be held, or is held already."""
        self.refuse_closed()
        if self.depth or self.streams or self.pin is not None:
            raise refused_here("pinned() inside `atomic`, a stream or another pinned()", AROUND)
        self.engines.refuse_pooler("pinned()")

    def refuse_closed(self) -> None:
        """Raise SessionClosed once the session has been closed."""
        if self.closed:
            raise session_closed()

    def misuse(self, call: str, hint: str = "write `async with db.atomic():`") -> TransactionMisuse:
        """Return the error for a call that `atomic` replaces."""
        return refused_here(call, hint)
