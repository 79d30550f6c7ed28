"""GuardedSession: the synchronous half of a session, where every statement passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import PendingRollbackError
from sqlalchemy.util.concurrency import in_greenlet

from ..internals import locks_rows
from ..pool.failures import has_failed
from .lazy import refuse_lazy_load
from .refusals import locks_nothing, refuse_unwritten, transaction_failed
from .standing import StandingSession

__all__ = ["GuardedSession"]


class GuardedSession(StandingSession):
    """What lets a Session read outside `atomic` without holding a connection.

    Everything that loads, of the user's or of SQLAlchemy's own, calls `execute`, `scalar` or
    `scalars`; everything that asks for a connection calls `get_bind`. So these four are the guard.
    """

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
            view = self.engines.single if self.pin is None else self.engines.read
        else:
            raise self.misuse("connection()")
        return view if self.pin is None else self.pin.connection(view)

    def connection(self, *arguments: Any, **options: Any) -> Connection:
        """Return the connection of the transaction."""
        try:
            return super().connection(*arguments, **options)
        except PendingRollbackError as error:
            self.explain(error)
            raise

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
            if failure := has_failed(connection):
                raise transaction_failed() from failure
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

    def begin(self, nested: bool = False) -> NoReturn:
        """Refuse: `atomic` is the one way to begin."""
        raise self.misuse("begin_nested()" if nested else "begin()")
