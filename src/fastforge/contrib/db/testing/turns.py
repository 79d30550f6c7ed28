"""Turns: who may use the one connection of a test, one after the other."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import Engine, event, exc
from sqlalchemy.pool import PoolProxiedConnection

from .errors import turn_of_its_own, turn_too_late

__all__ = ["take_turns"]


def take_turns(engine: Engine) -> None:
    """Let the pool of one connection say why nobody else gets it.

    Each use is a turn: a statement outside `atomic`, or a whole block. Others wait, the first
    first. A task that holds it and asks for another would wait for ever, and is told at once.

    Args:
        engine: With a pool of one connection; its pool is in use by nobody.
    """
    pool = engine.pool
    connect = pool.connect
    holder: list[asyncio.Task[Any] | None] = [None]

    def connect_in_turn() -> PoolProxiedConnection:
        if holder[0] is not None and holder[0] is _current_task():
            raise turn_of_its_own()
        try:
            return connect()
        except exc.TimeoutError as error:
            raise turn_too_late(error) from error

    @event.listens_for(pool, "checkout")
    def begin(_connection: Any, _record: Any, _proxy: Any) -> None:
        holder[0] = _current_task()

    @event.listens_for(pool, "checkin")
    def end(_connection: Any, _record: Any) -> None:
        holder[0] = None

    setattr(pool, "connect", connect_in_turn)  # noqa: B010 - a method, on this one object


def _current_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
