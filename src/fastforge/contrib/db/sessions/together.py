"""Together: how the sessions of one unit of work on several databases end."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from .session import Session
from .shield import shielded

__all__ = ["end_together"]

logger = logging.getLogger("fastforge.contrib.db")


async def end_together(sessions: Mapping[str, Session], *, commit: bool) -> None:
    """End sessions in their order, all of them whatever happens.

    Nothing makes commits on two servers one. What can be done is done: everything is written
    everywhere first, so that hardly anything is left that a commit could fail of, and the first
    failure rolls back all that have not committed.

    Args:
        sessions: By the names of their databases, in the order of their commits.
        commit: Whether they commit.

    Raises:
        Exception: What the first failure raised; a note names what is committed already.
    """
    await shielded(_end(sessions, commit))


async def _end(sessions: Mapping[str, Session], commit: bool) -> None:
    failure: BaseException | None = None
    committed: list[str] = []
    if commit:
        failure = await _write(sessions)
    for name, session in sessions.items():
        wrote = session.guarded.holds_connection
        try:
            await session.end(commit=commit and failure is None)
        except BaseException as error:
            _report(name, error, committed)
            failure = failure or error
        else:
            if wrote and commit and failure is None:
                committed.append(name)
    if failure is not None:
        raise failure


async def _write(sessions: Mapping[str, Session]) -> BaseException | None:
    try:
        for session in sessions.values():
            session.guarded.refuse_left_behind()
            await session.flush()
    except Exception as error:
        return error
    return None


def _report(name: str, error: BaseException, committed: list[str]) -> None:
    if committed:
        done = ", ".join(map(repr, committed))
        error.add_note(f"the database {name!r} failed after the commit of {done}")
        logger.error("the database %r failed after the commit of %s, which stands", name, done)
