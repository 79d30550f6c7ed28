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
FORBIDDEN: Final = "42501"
_FAULTS: Final = (exc.SQLAlchemyError, OSError, TimeoutError, ForgeError)


class Asking:
    """Runs statements, each of them a transaction.

    Args:
        engine: What channels have to themselves: requests that hold all connections of the
            project's pool do not keep a message from being published.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._running: set[asyncio.Task[Sequence[Row[Any]]]] = set()

    async def ask(self, statement: TextClause, **parameters: object) -> Sequence[Row[Any]]:
        """Run a statement and return its rows.

        Surprises: it goes on when the caller is cancelled.

        Raises:
            ChannelUnavailable: There is no answer in time.
            ChannelError: The tables are not there.
        """
        drivers: list[Any] = []
        task = asyncio.create_task(self._run(statement, parameters, drivers))
        self._running.add(task)
        task.add_done_callback(self._end)
        done, _ = await asyncio.wait({task}, timeout=WAIT_S)
        if not done:
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
