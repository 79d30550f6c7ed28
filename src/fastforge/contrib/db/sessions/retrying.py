"""Retrying: a function that is run again when its transaction collides with another one."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import anyio
from sqlalchemy import orm

from ..errors import TransactionFailed, describe
from .nesting import AtomicBlock, BlockOptions
from .refreshing import reload
from .session import Session

__all__ = ["collides", "pause_s", "run_again"]

R = TypeVar("R")

COLLISIONS: Final = frozenset({"40001", "40P01"})
"""A serialization failure and a deadlock, whatever their classes: nothing has been done."""
SHORTEST_S: Final = 0.010
LONGEST_S: Final = 0.050


async def run_again(
    session: Session, call: Callable[[], Awaitable[R]], options: BlockOptions, *, retries: int
) -> R:
    """Run a function in a transaction of its own until it does not collide.

    Of a failed attempt nothing is left: its rows, its jobs and its callbacks are gone, its objects
    are no longer the session's. What was loaded before is loaded anew.

    Args:
        session: Where it runs.
        call: The function.
        options: What its block asks for.
        retries: How many attempts there may be after the first one.

    Raises:
        TransactionMisuse: The session stands in a transaction that has begun.
        WriteOutsideAtomic: Something was added, changed or deleted before; the rollback of a
            failed attempt would take it along, and the next attempt would not know of it.
        Exception: What the last attempt raised.
    """
    if not session.in_atomic:
        session.guarded.refuse_unwritten()
    known = session.guarded.identity_map.all_states()
    for attempt in range(retries + 1):
        try:
            async with AtomicBlock(session, options):
                if attempt:
                    await session.run_sync(reload, known)
                return await call()
        except Exception as error:
            if attempt == retries or not collides(error):
                raise
            _forget_all_but(session.guarded, known)
        await anyio.sleep(pause_s(attempt))
    raise AssertionError  # the last attempt has returned or raised


def collides(error: BaseException) -> bool:
    """Return whether the same transaction may succeed when it is run again."""
    if isinstance(error, TransactionFailed) and error.__cause__ is not None:
        error = error.__cause__  # of the statement whose error was swallowed
    return (describe(error).sqlstate or getattr(error, "sqlstate", None)) in COLLISIONS


def pause_s(attempt: int) -> float:
    """Return how long to wait after an attempt, so that two that have met do not meet again."""
    return random.uniform(SHORTEST_S, LONGEST_S) * float(2**attempt)


def _forget_all_but(session: orm.Session, known: list[orm.InstanceState[Any]]) -> None:
    kept = {*known}
    states = [orm.attributes.instance_state(instance) for instance in session.new]
    for state in (*states, *session.identity_map.all_states()):
        instance = state.obj()
        if instance is None or instance not in session:
            continue
        if state in kept:
            session.expire(instance)
        else:
            session.expunge(instance)
