"""Transactions: the caller's own where one runs here, else one of the jobs table's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ..db.pool.sqlite import BEGIN
from ..db.sessions.unit import current_session
from .enqueueing import Executes
from .errors import away_when_unreachable

__all__ = ["Transactions"]


class Transactions:
    """Gives what runs statements.

    Args:
        engine: Where transactions of its own begin.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        is_sqlite = engine.dialect.name == "sqlite"
        # Who only reads a file waits for nobody there.
        self._readers = engine.execution_options(**{BEGIN: "BEGIN"}) if is_sqlite else engine

    @asynccontextmanager
    async def own(self) -> AsyncIterator[AsyncConnection]:
        """Give a transaction that stands for itself.

        Raises:
            BackendAway: The database cannot do it now.
        """
        with away_when_unreachable():
            async with self._engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def here(self) -> AsyncIterator[Executes]:
        """Give the transaction that runs here, so that both are kept or none; else one's own."""
        session = current_session()
        if session is not None and session.in_atomic:
            yield session
        else:
            async with self.own() as connection:
                yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Executes]:
        """Give the transaction that runs here, whose changes are seen, or one that only reads."""
        session = current_session()
        if session is not None and session.in_atomic:
            yield session
            return
        with away_when_unreachable():
            async with self._readers.begin() as connection:
                yield connection
