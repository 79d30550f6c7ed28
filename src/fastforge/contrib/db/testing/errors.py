"""Errors: what a test cannot do inside its one transaction, and what it does instead."""

from __future__ import annotations

from typing import Final

from ..errors import DatabaseError

__all__ = [
    "IsolationError",
    "connection_lost",
    "other_loop",
    "turn_of_its_own",
    "turn_too_late",
    "worker_inside",
]

WITH_COMMITS: Final = "mark the test @pytest.mark.fastforge_db(transaction=True)"


class IsolationError(DatabaseError):
    """A test does what needs real commits, or a second connection."""


def turn_of_its_own() -> IsolationError:
    """Return the error for a task that waits for what it holds itself."""
    return IsolationError(
        "all of a test shares one connection, and this task holds it already: in `atomic`, in a"
        " stream, or in a connection of the engine",
        code="db.E090",
        hint=f"leave that block first, or {WITH_COMMITS}",
    )


def turn_too_late(error: Exception) -> IsolationError:
    """Return the error for a wait that had no end in time.

    Args:
        error: What the pool says, with who held the connection.
    """
    held = str(error).partition(" are held by ")[2].partition(";")[0]
    return IsolationError(
        "all of a test shares one connection, and it was not given back in time"
        f"{' by ' + held if held else ''}",
        code="db.E091",
        hint=f"where it waits for this task neither ever goes on: {WITH_COMMITS}",
    )


def other_loop(name: str) -> IsolationError:
    """Return the error for a thread with an event loop of its own, as of a server."""
    return IsolationError(
        f"the database {name!r} of this test is one transaction on the test's event loop, and this"
        " one is another",
        code="db.E092",
        hint=WITH_COMMITS,
    )


def connection_lost() -> IsolationError:
    """Return the error for what comes after the connection was lost."""
    return IsolationError(
        "the connection of this test was lost, and all that it had written with it: a statement"
        " was cancelled, or the server closed it",
        code="db.E093",
        hint=WITH_COMMITS,
    )


def worker_inside() -> IsolationError:
    """Return the error for a worker, which takes its jobs through connections of its own."""
    return IsolationError(
        "a worker does not see the jobs of a test that commits nothing",
        code="db.E094",
        hint=WITH_COMMITS,
    )
