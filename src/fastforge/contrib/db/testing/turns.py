"""Turns: who may use the one connection of a test, one after the other."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import Engine, event, exc
from sqlalchemy.pool import PoolProxiedConnection

from .errors import turn_of_its_own, turn_too_late

__all__ = ["Turns"]


class Turns:
    """Lets a pool of one connection say why nobody else gets it.

    Each use is a turn: a statement outside `atomic`, or a whole block. Others wait, the first
    first. A task that holds it and asks for another would wait for ever, and is told at once.

    Args:
        engine: With a pool of one connection, which is in use by nobody.
    """

    def __init__(self, engine: Engine) -> None:
        self._holder: asyncio.Task[Any] | None = None
        event.listen(engine, "checkout", self._begin)
        event.listen(engine, "checkin", self._end)
        self.watch(engine)

    def watch(self, engine: Engine) -> None:
        """Begin anew with an engine's pool, which is another after each `dispose()`."""
        self._holder = None
        pool = engine.pool
        connect = pool.connect

        def connect_in_turn() -> PoolProxiedConnection:
            if self._holder is not None and self._holder is _current_task():
                raise turn_of_its_own()
            try:
                return connect()
            except exc.TimeoutError as error:
                raise turn_too_late(error) from error

        setattr(pool, "connect", connect_in_turn)  # noqa: B010 - a method, on this one object

    def _begin(self, *_: Any) -> None:
        self._holder = _current_task()

    def _end(self, *_: Any) -> None:
        self._holder = None


def _current_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
