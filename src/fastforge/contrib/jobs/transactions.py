"""Transactions: the caller's own where one runs here, else one of the jobs table's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

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
        pooled: Whether they go through a pooler, which may give each of them another server.
    """

    def __init__(self, engine: AsyncEngine, *, pooled: bool = False) -> None:
        self._engine = self._readers = self._single = engine
        # Whoever waits for a file's lock in the driver sleeps; here the next one has it at once.
        self._turn: AbstractAsyncContextManager[Any] = nullcontext()
        if engine.dialect.name == "sqlite":
            # Who only reads a file waits for nobody there.
            self._readers = engine.execution_options(**{BEGIN: "BEGIN"})
            self._single = engine.execution_options(**{BEGIN: ""})
            self._turn = asyncio.Lock()
        elif not pooled:
            self._single = engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def own(self) -> AsyncIterator[AsyncConnection]:
        """Give a transaction that stands for itself.

        Raises:
            BackendAway: The database cannot do it now.
        """
        with away_when_unreachable():
            async with self._turn, self._engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def single(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection for one statement, which is kept as soon as it has run.

        That is one round trip, and a transaction is three.

        Raises:
            BackendAway: The database cannot do it now.
        """
        with away_when_unreachable():
            async with self._turn, self._single.begin() as connection:
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
