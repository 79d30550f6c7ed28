"""Unit of work: the one session of a request, a job, a command or a block, made when it is used."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Annotated

from fastapi import Depends
from starlette.types import Scope

from ...lifecycle import current_container
from .blocks import block
from .current import current_unit, unit_here
from .errors import NoUnitOfWork
from .resources import database
from .sessions import Session

__all__ = [
    "DbSession",
    "UnitOfWork",
    "atomic",
    "current_session",
    "current_unit",
    "entered_unit",
    "new_session",
    "new_transaction",
    "required_session",
    "session",
    "use_unit",
]


class UnitOfWork:
    """One session, made at its first use, and how it ends.

    Args:
        open_session: Makes the session: `new_session`, or `new_transaction` for one that stands
            in a transaction from its first statement on.
        scope: That of the request or socket; for all others one of their own, which is empty.

    Attributes:
        scope: What tells whose it is. A unit that is opened inside of another has the other's.
        ended: Whether it is over; its session is closed then.
    """

    __slots__ = ("_open_session", "_session", "ended", "scope")

    def __init__(self, open_session: Callable[[], Session], scope: Scope | None = None) -> None:
        self._open_session = open_session
        self._session: Session | None = None
        self.ended = False
        self.scope: Scope = {} if scope is None else scope

    @property
    def session(self) -> Session:
        """The session; asking for it costs no round trip."""
        if self._session is None:
            self._session = self._open_session()
            if self.ended:
                self._session.sync_session.close()
        return self._session

    @property
    def opened(self) -> Session | None:
        """The session, if anybody has asked for it."""
        return self._session

    async def finish(self, *, commit: bool) -> None:
        """End the session once; further calls do nothing.

        Args:
            commit: Commit what is open and insist that nothing is left unwritten; else roll back.

        Raises:
            WriteOutsideAtomic: With `commit`, when objects were never written.
            Exception: Whatever the commit raises; everything has been rolled back then.
        """
        if self.ended:
            return
        self.ended = True
        if self._session is not None:
            await self._session.end(commit=commit)


@contextmanager
def entered_unit(unit: UnitOfWork) -> Iterator[UnitOfWork]:
    """Make a unit the current one for a block; whoever enters it ends it."""
    token = unit_here.set(unit)
    try:
        yield unit
    finally:
        # The event loop closes an asynchronous generator that nobody has closed (one inside a
        # stream whose client left) in another context, where there is nothing to put back.
        with suppress(ValueError):
            unit_here.reset(token)


@block
async def use_unit(unit: UnitOfWork) -> AsyncIterator[UnitOfWork]:
    """Make a unit the current one for a block, and end it by how the block is left."""
    with entered_unit(unit):
        try:
            yield unit
        except BaseException:
            await unit.finish(commit=False)
            raise
        await unit.finish(commit=True)


def current_session() -> Session | None:
    """Return the session of what runs here, or None where nothing gives one any more or yet."""
    unit = unit_here.get()
    return None if unit is None or unit.ended else unit.session


def required_session() -> Session:
    """Return the session of what runs here.

    Raises:
        NoUnitOfWork: Nothing here gives a session.
    """
    unit = unit_here.get()
    if unit is None:
        raise NoUnitOfWork(
            "no request, job or command runs here that could give a database session",
            code="db.E018",
            hint="open one: `async with session() as db:` (from fastforge.contrib.db)",
        )
    return unit.session


@block
async def session() -> AsyncIterator[Session]:
    """Open a session of its own: for background tasks, streams, services and gathered tasks.

    Within the block it is the current session, so that `atomic()` and `enqueue` use it.

    ```python
    async def send_report(report_id: int) -> None:
        async with session() as db:
            report = await db.get(Report, report_id)
    ```

    Raises:
        ContainerMissing: No project runs here.
        WriteOutsideAtomic: Objects were left unwritten.
    """
    outer = current_unit()
    scope = None if outer is None else outer.scope
    async with use_unit(UnitOfWork(new_session, scope)) as unit:
        yield unit.session


@block
async def atomic() -> AsyncIterator[Session]:
    """Run a block in a transaction of the current session, or in a savepoint of it.

    ```python
    async with atomic() as db:
        db.add(Order(total=10))
    ```

    Raises:
        NoUnitOfWork: Nothing here gives a session.
    """
    async with required_session().atomic() as db:
        yield db


def new_session() -> Session:
    """Return a session on the database of the current container, outside `atomic`."""
    return current_container()[database].session()


def new_transaction() -> Session:
    """Return a session that stands in `atomic`, unless the settings say otherwise."""
    connection = current_container()[database]
    session = connection.session()
    if connection.config.atomic_requests:
        session.open()
    return session


async def _read_session() -> Session:
    return required_session()


DbSession = Annotated[Session, Depends(_read_session)]
"""The session of the request, socket, job or command; without a statement it costs no I/O."""
