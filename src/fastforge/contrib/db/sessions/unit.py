"""Unit of work: the sessions of a request, a job, a command or a block, made when they are used."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import Depends
from starlette.types import Scope

from ..errors import NoUnitOfWork, TransactionMisuse
from ..resources import DEFAULT, connection_of
from .blocks import block, held
from .current import current_unit, unit_here
from .places import task_here
from .session import Session
from .together import end_together

__all__ = [
    "DbSession",
    "SessionReader",
    "UnitOfWork",
    "current_session",
    "new_session",
    "new_transaction",
    "read_session",
    "required",
    "required_session",
    "session",
    "unit_of_work",
    "use_unit",
    "using",
]


class UnitOfWork:
    """One session for each database, made at its first use, and how they end.

    Args:
        open_session: Makes a session of a database: `new_session`, or `new_transaction` for one
            that stands in a transaction from its first statement on.
        scope: That of the request or socket; for all others one of their own, which is empty.

    Attributes:
        scope: What tells whose it is. A unit that is opened inside of another has the other's.
        opened: The session of the default database; None until somebody has asked for it.
        ended: Whether it is over; its sessions are closed then.
        handled_by: The task that handles it, as `task_here` tells; 0 where no session is injected.
    """

    __slots__ = ("_open_session", "_others", "ended", "handled_by", "opened", "scope")

    def __init__(self, open_session: Callable[[str], Session], scope: Scope | None = None) -> None:
        self._open_session = open_session
        self._others: dict[str, Session] = {}
        self.opened: Session | None = None
        self.ended = False
        self.handled_by = 0
        self.scope: Scope = {} if scope is None else scope

    @property
    def session(self) -> Session:
        """The session of the default database; asking for it costs no round trip."""
        if self.opened is None:
            self.opened = self._open(DEFAULT)
        return self.opened

    def session_of(self, name: str) -> Session:
        """Return the session of a database by its name in DATABASES.

        Raises:
            DatabaseError: There is no such name.
        """
        if name == DEFAULT:
            return self.session
        if name not in self._others:
            self._others[name] = self._open(name)
        return self._others[name]

    def opened_of(self, name: str) -> Session | None:
        """Return the session of a database by its name; None until somebody has asked for it."""
        return self.opened if name == DEFAULT else self._others.get(name)

    def _open(self, name: str) -> Session:
        session = self._open_session(name)
        if self.ended:
            session.sync_session.close()
        return session

    def end_unused(self) -> bool:
        """End it if nobody has asked for a session; return whether that is so."""
        if self.opened is None and not self._others:
            self.ended = True
            return True
        return False

    async def finish(self, *, commit: bool) -> None:
        """End the sessions once; further calls do nothing.

        With several databases everything is flushed everywhere first; then each commits, in the
        order of their first use and the default one last, because jobs are kept there.

        Args:
            commit: Commit what is open and insist that nothing is left unwritten; else roll back.

        Raises:
            WriteOutsideAtomic: With `commit`, when objects were never written.
            ConcurrentSessionUse: With `commit`, when a task that was left behind is in the middle
                of a block.
            Exception: Whatever a commit raises. What has not been committed by then is rolled
                back; a note of the error names the databases that have been.
        """
        if self.ended:
            return
        self.ended = True
        sessions = dict(self._others)
        if self.opened is not None:
            sessions[DEFAULT] = self.opened
        for session in sessions.values():
            session.guarded.take_over(self.handled_by)
        if self._others:
            await end_together(sessions, commit=commit)
        elif self.opened is not None:
            await self.opened.end(commit=commit)


class use_unit:  # noqa: N801
    """Make a unit the current one for a block, and end it by how the block is left.

    One object and no generator, because a worker opens one for every job.

    Args:
        unit: The unit.
    """

    __slots__ = ("_token", "_unit")

    def __init__(self, unit: UnitOfWork) -> None:
        self._unit = unit

    async def __aenter__(self) -> UnitOfWork:
        self._token = unit_here.set(self._unit)
        held.add(self)
        return self._unit

    async def __aexit__(self, kind: object, error: BaseException | None, _: object) -> None:
        try:
            await self._unit.finish(commit=error is None)
        finally:
            held.discard(self)
            # The event loop closes an asynchronous generator that nobody has closed (one inside a
            # stream whose client left) in another context, where there is nothing to put back.
            with suppress(ValueError):
                unit_here.reset(self._token)


def unit_of_work() -> UnitOfWork | None:
    """Return the unit of what runs here, as those know it who make and end sessions."""
    return cast("UnitOfWork | None", unit_here.get())


def current_session() -> Session | None:
    """Return the session of what runs here, or None where nothing gives one any more or yet."""
    unit = unit_of_work()
    return None if unit is None or unit.ended else unit.session


def required_session(name: str = DEFAULT) -> Session:
    """Return the session of what runs here.

    Raises:
        NoUnitOfWork: Nothing here gives a session.
    """
    unit = unit_of_work()
    if unit is None:
        raise NoUnitOfWork(
            "no request, job or command runs here that could give a database session",
            code="db.E018",
            hint="open one: `async with session() as db:` (from fastforge.contrib.db)",
        )
    return unit.session if name == DEFAULT else unit.session_of(name)


def required(name: str = DEFAULT) -> Session:
    """Return the session of what runs here, which has to stand in a transaction.

    For a function that must not write a half of something: whoever calls it opens the block.

    ```python
    async def move(amount: int, source: Account, target: Account) -> None:
        required()
        source.balance -= amount
        target.balance += amount
    ```

    Args:
        name: Of the database, in DATABASES.

    Raises:
        TransactionMisuse: There is no transaction.
        NoUnitOfWork: Nothing here gives a session.
    """
    db = required_session(name)
    if not db.in_atomic:
        raise TransactionMisuse(
            "what runs here needs a transaction around it, and there is none",
            code="db.E036",
            hint="call it inside `async with db.atomic():`",
        )
    return db


@block
async def session(name: str = DEFAULT) -> AsyncIterator[Session]:
    """Open a session of its own: for background tasks, streams, services and gathered tasks.

    Within the block it is the current session, so that `atomic()` and `enqueue` use it.

    ```python
    async def send_report(report_id: int) -> None:
        async with session() as db:
            report = await db.get(Report, report_id)
    ```

    Args:
        name: Of the database, in DATABASES.

    Raises:
        ContainerMissing: No project runs here.
        DatabaseError: DATABASES has no such name.
        WriteOutsideAtomic: Objects were left unwritten.
    """
    outer = current_unit()
    scope = None if outer is None else outer.scope
    async with use_unit(UnitOfWork(new_session, scope)) as unit:
        yield unit.session_of(name)


def new_session(name: str = DEFAULT) -> Session:
    """Return a session on a database of the current container, outside `atomic`."""
    return connection_of(name).session()


def new_transaction(name: str = DEFAULT) -> Session:
    """Return a session that stands in `atomic`, unless the settings say otherwise."""
    connection = connection_of(name)
    session = connection.session()
    if connection.config.atomic_requests and not connection.config.read_only:
        session.open()
    return session


def _injected(name: str) -> Session:
    """Return the session for a parameter, and note whose task handles what runs here."""
    db = required_session(name)
    unit = unit_of_work()
    assert unit is not None
    unit.handled_by = task_here()
    return db


async def read_session() -> Session:
    """Return the session of the default database; what `DbSession` depends on."""
    return _injected(DEFAULT)


DbSession = Annotated[Session, Depends(read_session)]
"""The session of the request, socket, job or command; without a statement it costs no I/O."""


@dataclass(frozen=True, slots=True)
class SessionReader:
    """Reads the session of one database; `async`, so that it never costs a thread.

    Attributes:
        name: Of the database, in DATABASES.
    """

    name: str

    async def __call__(self) -> Session:
        return _injected(self.name)


def using(name: str) -> Any:
    """Return the dependency that gives the session of another database.

    ```python
    Archive = Annotated[Session, using("archive")]

    @router.get("/archive")
    async def read(db: Archive) -> list[str]: ...
    ```

    Args:
        name: Of the database, in DATABASES.
    """
    return Depends(SessionReader(name))
