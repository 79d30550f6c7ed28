"""Asking: statements that have an answer within a short time, or an error."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, exc
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql.elements import TextClause

from ....channels import ChannelError, ChannelUnavailable
from ....exceptions import ForgeError
from ..errors import describe
from ..faults.missing import schema_missing
from ..faults.unavailable import cause_of
from ..listening import cut

__all__ = ["WAIT_S", "Asking", "away"]

WAIT_S: Final = 2.0
"""How long a statement, or a join, waits for a server that is away."""
LINE_S: Final = 10.0
"""How long one waits for those before them."""
FORBIDDEN: Final = "42501"
_FAULTS: Final = (exc.SQLAlchemyError, OSError, TimeoutError, ForgeError)


class Asking:
    """Runs statements, each of them a transaction.

    Some run at a time, the others wait in line: thousands of clients may come back at once. Only
    what runs is waited for with a short limit. Where the server does not keep to it, those who
    were in line by then are told at once, and do not try it one after the other.

    Args:
        engine: What channels have to themselves: requests that hold all connections of the
            project's pool do not keep a message from being published.
        at_once: How many of its connections statements may take.
    """

    def __init__(self, engine: AsyncEngine, *, at_once: int) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._running: set[asyncio.Task[Sequence[Row[Any]]]] = set()
        self._silences = 0
        self._turns = asyncio.Semaphore(at_once)

    async def ask(self, statement: TextClause, **parameters: object) -> Sequence[Row[Any]]:
        """Run a statement and return its rows.

        Surprises: it goes on when the caller is cancelled.

        Raises:
            ChannelUnavailable: There is no answer in time.
            ChannelError: The tables are not there.
        """
        silences = self._silences
        try:
            async with asyncio.timeout(LINE_S):
                await self._turns.acquire()
        except TimeoutError as error:
            raise away(error) from error
        try:
            if silences != self._silences:
                raise away(TimeoutError())
            return await self._answer(statement, parameters)
        finally:
            self._turns.release()

    async def _answer(
        self, statement: TextClause, parameters: dict[str, object]
    ) -> Sequence[Row[Any]]:
        drivers: list[Any] = []
        task = asyncio.create_task(self._run(statement, parameters, drivers))
        self._running.add(task)
        task.add_done_callback(self._end)
        done, _ = await asyncio.wait({task}, timeout=WAIT_S)
        if not done:
            self._silences += 1
            for driver in drivers:
                cut(driver)
            raise away(TimeoutError())
        try:
            return task.result()
        except _FAULTS as error:
            raise _told(error) from error

    async def close(self) -> None:
        """Wait for what still runs; each has its limit."""
        if self._running:
            await asyncio.wait(self._running, timeout=WAIT_S)

    async def _run(
        self, statement: TextClause, parameters: dict[str, object], drivers: list[Any]
    ) -> Sequence[Row[Any]]:
        async with self._engine.connect() as connection:
            drivers.append((await connection.get_raw_connection()).driver_connection)
            result = await connection.execute(statement, parameters)
            return result.all() if result.returns_rows else ()

    def _end(self, task: asyncio.Task[Sequence[Row[Any]]]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # seen, also where nobody waits for it any more


def _told(error: Exception) -> ChannelError:
    missing = schema_missing(error)
    if missing is None:
        return away(error)
    return ChannelError(
        f"what channels keep in the database is not there: {missing.message}",
        code="channels.E044",
        hint="run: manage migrate",
    )


def away(error: Exception) -> ChannelUnavailable:
    """Return the error for a server that carries nothing now."""
    if isinstance(error, ChannelUnavailable):
        return error
    cause = cause_of(error)
    words, hint = cause.words, cause.hint or "it is tried again by itself"
    if isinstance(error, TimeoutError):
        words, hint = "it does not answer", "what was said may be published all the same"
    elif describe(error).sqlstate == FORBIDDEN:
        hint = (
            "GRANT the user in the URL ALL on the tables postgres_channels_*, and on their sequence"
        )
    return ChannelUnavailable(
        f"PostgreSQL carries no messages at present: {words}", code="channels.E040", hint=hint
    )
