"""Hurried: what needs no answer of the server's, done without giving the event loop a turn."""

from __future__ import annotations

import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

import psycopg

__all__ = ["HurriedConnection", "connection_of"]

T = TypeVar("T")


@types.coroutine
def _hurried(work: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
    """Run a coroutine; where it only lets others go first, they do not."""
    error: BaseException | None = None
    while True:
        try:
            turn = work.send(None) if error is None else work.throw(error)
        except StopIteration as end:
            result: T = end.value
            return result
        error = None
        if turn is not None:  # it waits for something after all
            try:
                yield turn
            except BaseException as raised:
                error = raised


class HurriedConnection(psycopg.AsyncConnection[Any]):
    """A connection of psycopg whose options are set at once.

    They are said with the next BEGIN, so there is nothing to wait for. psycopg still gives the
    event loop a turn now and then, and there a cancellation may come. SQLAlchemy sets them where
    it does not expect one: just before it hands a connection out, and just before it takes it
    back. The connection would be lost to the pool, in the second case for good.
    """

    async def set_autocommit(self, value: bool) -> None:
        """Set whether each statement stands for itself."""
        await _hurried(super().set_autocommit(value))

    async def set_isolation_level(self, value: psycopg.IsolationLevel | None) -> None:
        """Set how much the next transaction sees of others."""
        await _hurried(super().set_isolation_level(value))

    async def set_read_only(self, value: bool | None) -> None:
        """Set whether the next transaction only reads."""
        await _hurried(super().set_read_only(value))

    async def set_deferrable(self, value: bool | None) -> None:
        """Set whether the next transaction may wait for a moment that is safe."""
        await _hurried(super().set_deferrable(value))


def connection_of(
    *, kept_statements: int | None
) -> Callable[..., Coroutine[Any, Any, HurriedConnection]]:
    """Return what makes such connections.

    Args:
        kept_statements: How many prepared statements each keeps; None: as many as psycopg does.
    """

    async def connect(*arguments: Any, **options: Any) -> HurriedConnection:
        connection = await HurriedConnection.connect(*arguments, **options)
        if kept_statements is not None:
            connection.prepared_max = kept_statements
        return connection

    return connect
