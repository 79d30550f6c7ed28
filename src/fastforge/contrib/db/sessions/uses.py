"""Use: one use of a session's connection, by one task at a time."""

from __future__ import annotations

from typing import Protocol

from greenlet import getcurrent  # type: ignore[import-untyped]

from ..errors import concurrent_use

__all__ = ["Use", "Used"]


class Used(Protocol):
    """What a use needs to know of its session.

    Attributes:
        depth: Not 0 inside `atomic`.
        streams: Not 0 while a stream holds the connection.
        nesting: How many uses are inside each other now.
        user: Who uses it.
    """

    depth: int
    streams: int
    nesting: int
    user: object

    def give_back(self) -> None:
        """Return the connection to the pool."""

    def explain(self, error: BaseException) -> None:
        """Raise what says more than an error of SQLAlchemy's or of the server's, where it does."""


class Use:
    """One use of a session's connection, by one greenlet: SQLAlchemy makes one for each call.

    A loader such as selectinload runs statements inside a statement, hence the count. The rows
    need no connection any more: SQLAlchemy's asyncio drivers fetch all of them at once.
    """

    __slots__ = ("session",)

    def __init__(self, session: Used) -> None:
        self.session = session

    def __enter__(self) -> None:
        session = self.session
        user = getcurrent()
        if not session.nesting:
            session.user = user
        elif session.user is not user:
            raise concurrent_use()
        session.nesting += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: object
    ) -> None:
        session = self.session
        session.nesting -= 1
        if not session.nesting:
            session.user = None  # it would be a circle
            if not session.depth and not session.streams:
                session.give_back()
        if error is not None:
            session.explain(error)
