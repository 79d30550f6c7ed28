"""Copies: the homes of PostgreSQL, copies of a database that the migrations have made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from anyio.from_thread import BlockingPortal
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ..settings import Database
from .rows import Rows
from .servers import Server, at, connected, server_of
from .templates import build, digest_of

if TYPE_CHECKING:
    from ....project import Project

__all__ = ["copied_home"]

LOCK_TIMEOUT_S: Final = 2.0
"""How long cleaning waits for what a test has left running."""

_DEFERRED: Final = "SELECT EXISTS (SELECT FROM pg_constraint WHERE condeferred)"


class CopiedHome:
    """A copy of the template, with the rows of the migrations before each test.

    Args:
        portal: Where asynchronous things run.
        server: The server.
        project: As the settings say it.
        database: The section of the copy.
        names: Of the copy and of its template.
    """

    def __init__(
        self,
        portal: BlockingPortal,
        server: Server,
        project: Project,
        database: Database,
        names: tuple[str, str],
    ) -> None:
        self.database = database
        self.making = 0
        self.checks_deferred = False
        self._portal = portal
        self._server = server
        self._settings = project.settings
        self._names = names
        self._stack = ExitStack()

    def make(self) -> None:
        """Copy the template, in the place of what is there."""
        self.close()
        self._portal.call(self._server.copy, *self._names)
        self.making += 1
        opened: AbstractContextManager[AsyncConnection] = self._portal.wrap_async_context_manager(
            connected(self._settings, self.database, lock_timeout_s=LOCK_TIMEOUT_S)
        )
        self._connection = self._stack.enter_context(opened)
        self._rows = self._portal.call(Rows.of, self._connection)
        self.checks_deferred = bool(self._portal.call(self._connection.scalar, text(_DEFERRED)))

    def close(self) -> None:
        """Close the connection by which it is cleaned."""
        self._stack.close()

    @contextmanager
    def committing(self) -> Iterator[Database]:
        """Give the copy, and clean it up when something was written on the server."""
        before = self._portal.call(self._server.position)
        try:
            yield self.database
        finally:
            if self._portal.call(self._server.position) != before and not self._restored():
                self.make()

    def _restored(self) -> bool:
        try:
            return self._portal.call(self._rows.restore, self._connection)
        except Exception:  # whatever it says, a new copy is right
            return False


@contextmanager
def copied_home(
    portal: BlockingPortal, project: Project, name: str, *, worker: str, anew: str
) -> Iterator[CopiedHome]:
    """Make the tests' copy of one of DATABASES; it is dropped at the end.

    Args:
        portal: Where asynchronous things run.
        project: As the settings say it.
        name: The database's name in DATABASES.
        worker: The name of this process among parallel ones.
        anew: The session that wants the template built anew; empty for none.
    """
    config: Database = project.settings["DATABASES"][name]

    async def migrate(template: str) -> None:
        await build(project, name, at(config, template))

    async def template_on(server: Server) -> str:
        return await server.template(digest_of(project), migrate, anew=anew)

    with portal.wrap_async_context_manager(server_of(project.settings, config)) as server:
        own = portal.call(server.claim, worker)
        template = portal.call(template_on, server)
        home = CopiedHome(portal, server, project, at(config, own), (own, template))
        try:
            home.make()
            yield home
        finally:
            home.close()
            portal.call(server.drop, own)
