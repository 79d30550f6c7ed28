"""WatchedPool: SQLAlchemy's pool for asyncio, which tells what it does."""

from __future__ import annotations

import time
from typing import Any, Final, Self

from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

from ....observability.tracing import span
from ..errors import PoolExhausted
from .counts import Counts
from .gauges import DatabaseGauges
from .holders import Holder, told

__all__ = ["WatchedPool"]

DEFAULT: Final = "default"


class WatchedPool(AsyncAdaptedQueuePool):
    """A pool that counts, and that names who holds its connections when there are none left.

    Attributes:
        counts: What has happened.
        holders: Who has a connection.
        database: Its name in DATABASES.
        max_overflow: How many connections there may be above its size.
    """

    # Its log is SQLAlchemy's, and not one of ours that is shown by default.
    _sqla_logger_namespace = "sqlalchemy.pool.impl.AsyncAdaptedQueuePool"

    def __init__(self, creator: Any, *, max_overflow: int = 0, **options: Any) -> None:
        super().__init__(creator, max_overflow=max_overflow, **options)
        self.max_overflow = max_overflow
        self._make = creator
        self.counts = Counts()
        self.holders: dict[ConnectionPoolEntry, Holder] = {}
        self.database = DEFAULT

    def recreate(self) -> Self:
        """Return an empty pool in this one's place, after `dispose()`; it goes on counting."""
        successor = super().recreate()
        assert isinstance(successor, type(self))
        successor.counts = self.counts
        successor.database = self.database
        return successor

    @property
    def gauges(self) -> DatabaseGauges:
        """What it does at this moment."""
        counts = self.counts
        return DatabaseGauges(
            size=self.size(),
            max_overflow=self.max_overflow,
            checked_out=self.checkedout(),
            overflow=max(0, self.overflow()),
            waiting=counts.waiting,
            waits=counts.waits.reading,
            uses=counts.uses.reading,
            connects=counts.connects,
            invalidations=counts.invalidations,
            timeouts=counts.timeouts,
        )

    @property
    def is_exhausted(self) -> bool:
        """Whether all connections are in use, so that one has to wait for the next."""
        return not self.checkedin() and self.overflow() >= self.max_overflow

    @property
    def is_in_use(self) -> bool:
        """Whether somebody has a connection; one that is being made is none yet."""
        return any(each.entry.in_use for each in self.holders.values())

    @property
    def held_by(self) -> str:
        """Who has a connection, since when and where, in one line."""
        return told(self.holders.values(), self.database)

    def connect_beside(self) -> Any:
        """Make a connection that the pool knows nothing of; whoever asks for it closes it."""
        return self._make()

    def _do_get(self) -> ConnectionPoolEntry:
        """Give a connection; SQLAlchemy says that subclasses supply this."""
        if self.checkedin() or self.overflow() < self.max_overflow:
            return super()._do_get()
        counts = self.counts
        counts.waiting += 1
        began = time.monotonic()
        try:
            with span("wait for a connection", attributes={"fastforge.database": self.database}):
                return super()._do_get()
        except PoolTimeout as error:
            counts.timeouts += 1
            raise self._exhausted() from error
        finally:
            counts.waiting -= 1
            counts.waits.add(time.monotonic() - began)

    def _exhausted(self) -> PoolExhausted:
        of = "" if self.database == DEFAULT else f" of {self.database!r}"
        return PoolExhausted(
            f"no connection{of} was free within {self.timeout():g} s: {self.checkedout()} of"
            f" {self.size() + self.max_overflow} are held by {self.held_by}",
            code="db.E007",
            hint="shorten what runs inside `atomic`, or raise pool_size in DATABASES",
        )
