"""DATABASES: limits that are off, so that one statement or one client holds up the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ....checks import Level, Message, check
from ..settings import Database

if TYPE_CHECKING:
    from ....project import Project

__all__ = ["connections_are_renewed", "servers", "waiting_ends"]


@check(tags={"database"}, deploy=True)
def waiting_ends(project: Project) -> Iterator[Message]:
    """Find waits on a PostgreSQL that nobody ends."""
    where = project.settings.where("DATABASES")
    for name, database in servers(project):
        if not database.lock_timeout_s:
            yield Message(
                id="db.W006",
                level=Level.WARNING,
                text=f"{name}: a statement waits for a lock for ever (lock_timeout_s is 0): behind"
                " a migration that waits, all others wait too",
                hint="leave it at 5",
                where=where,
            )
        if not database.idle_in_transaction_timeout_s:
            yield Message(
                id="db.W007",
                level=Level.WARNING,
                text=f"{name}: a transaction in which nothing happens is never ended"
                " (idle_in_transaction_timeout_s is 0): it keeps its locks and its connection",
                hint="leave it at 30",
                where=where,
            )
        if not database.client_check_interval_s:
            yield Message(
                id="db.W008",
                level=Level.WARNING,
                text=f"{name}: the server works on for clients that are gone"
                " (client_check_interval_s is 0), and has more of them than the pool is large",
                hint="leave it at 2",
                where=where,
            )


@check(tags={"database"}, deploy=True)
def connections_are_renewed(project: Project) -> Iterator[Message]:
    """Find connections that are kept for ever, and those that are tried at each use."""
    where = project.settings.where("DATABASES")
    for name, database in servers(project):
        if not database.pool_recycle_s:
            yield Message(
                id="db.W009",
                level=Level.WARNING,
                text=f"{name}: connections are never replaced (pool_recycle_s is 0): they keep"
                " plans of before a migration, and go to the old server after a fail-over",
                hint="leave it at 1800",
                where=where,
            )
        if not database.idle_ping_s:
            yield Message(
                id="db.W019",
                level=Level.WARNING,
                text=f"{name}: each use of a connection tries it first (idle_ping_s is 0): a small"
                " request takes twice the round trips",
                hint="leave it at 30: what was idle for shorter is there",
                where=where,
            )


def servers(project: Project) -> Iterator[tuple[str, Database]]:
    """Yield the databases that are no files, with their names."""
    databases: dict[str, Database] = project.settings["DATABASES"]
    yield from ((name, each) for name, each in databases.items() if not each.is_sqlite)
