"""Refusals: the errors for what a session does not do outside `atomic`, or no longer inside."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import orm

from ...._utils import did_you_mean
from ..errors import (
    ConcurrentSessionUse,
    SessionClosed,
    TransactionFailed,
    TransactionMisuse,
    WriteOutsideAtomic,
)

__all__ = [
    "AROUND",
    "left_in_a_block",
    "locks_nothing",
    "refuse_argument",
    "refuse_unwritten",
    "refused_here",
    "session_closed",
    "transaction_failed",
]

AROUND: Final = "there is one connection already; open `pinned` around the other block"
ARGUMENTS: Final = ("durable", "isolation", "read_only", "savepoint")


def locks_nothing() -> WriteOutsideAtomic:
    """Return the error for FOR UPDATE outside `atomic`."""
    return WriteOutsideAtomic(
        "FOR UPDATE outside a transaction locks nothing",
        code="db.E003",
        hint="put it inside `async with db.atomic():`",
    )


def refuse_unwritten(session: orm.Session) -> None:
    """Raise WriteOutsideAtomic if there are new, changed or deleted objects.

    An attribute that was set to the value that it had is no change.
    """
    changed = (instance for instance in session.dirty if session.is_modified(instance))
    names = [type(instance).__name__ for instance in (*session.new, *changed, *session.deleted)]
    if names:
        raise WriteOutsideAtomic(
            f"objects were added, changed or deleted outside a transaction and are not written:"
            f" {', '.join(names[:5])}{', ...' if len(names) > 5 else ''}",
            code="db.E002",
            hint="do it inside `async with db.atomic():`",
        )


def refuse_argument(names: Iterable[str]) -> TransactionMisuse:
    """Return the error for an argument that a block of `atomic` does not have."""
    name = next(iter(names))
    if name == "retries":
        return TransactionMisuse(
            "`async with atomic(retries=...)`: a block cannot be run again, only a function can",
            code="db.E032",
            hint="put what it does into an `async def` with @atomic(retries=3) above it",
        )
    return TransactionMisuse(
        f"atomic() has no argument {name!r}",
        code="db.E032",
        hint=did_you_mean(name, ARGUMENTS) or f"it has {', '.join(ARGUMENTS)}",
    )


def left_in_a_block() -> ConcurrentSessionUse:
    """Return the error for the end of what another task is in the middle of."""
    return ConcurrentSessionUse(
        "a task that was left behind is in the middle of a block of `atomic` inside of what ends"
        " here, so nothing of it is committed",
        code="db.E045",
        hint="await the task, or give it a session of its own: `async with session() as db:`",
    )


def session_closed() -> SessionClosed:
    """Return the error for a session that is used after its end."""
    return SessionClosed(
        "this session has ended with the request, job or block that it belonged to",
        code="db.E004",
        hint="in a background task or a stream open one: `async with session() as db:`",
    )


def refused_here(call: str, hint: str) -> TransactionMisuse:
    """Return the error for a call that does not fit where the session stands."""
    return TransactionMisuse(f"{call} is refused here", code="db.E012", hint=hint)


def transaction_failed() -> TransactionFailed:
    """Return the error for a transaction in which something failed that nobody undid."""
    return TransactionFailed(
        "a statement of this transaction failed and its error was swallowed, so nothing of it can"
        " be committed, and no other statement runs in it",
        code="db.E013",
        hint="let the error through, or put what may fail into a nested `async with db.atomic():`",
    )
