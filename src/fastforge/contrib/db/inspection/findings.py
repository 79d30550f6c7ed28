"""Findings: what does not fit between the settings of a database and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from typing import Final

from ....checks import Level, Message
from ..engine import target_of
from ..pool.arguments import CLIENT_CHECK, server_limits
from ..settings import Database
from .file import FileFacts, place_problem
from .inspecting import Inspected
from .server import ServerFacts

__all__ = ["answers", "file_problems", "limit_problems", "migration_problems", "pooler_problems"]

NAMED: Final = 3
"""How many migrations are named in a message."""


def answers(database: Inspected) -> Iterator[Message]:
    """Yield what a database is, or that it does not answer, or answers what nobody wants."""
    if database.failure is not None:
        yield Message(
            id="db.E070",
            level=Level.ERROR,
            text=f"{database.name}: {database.failure.message}",
            hint=database.failure.hint,
        )
    elif database.server is not None:
        yield _said(database, f"PostgreSQL {database.server.version}", target_of(database.config))
        if database.server.is_read_only and not database.config.read_only:
            yield Message(
                id="db.E072",
                level=Level.ERROR,
                text=f"{database.name}: nothing can be written there: it is a replica, or its"
                " transactions are read only",
                hint="name the primary, or write Database(..., read_only=True)",
            )
    elif database.file is not None:
        yield _said(database, f"SQLite {database.file.version}", str(database.path))


def _said(database: Inspected, server: str, place: str) -> Message:
    package = database.config.driver.package
    return Message(
        id="db.I010",
        level=Level.INFO,
        text=f"{database.name}: {server} through {package} {version(package)}, {place}",
    )


def limit_problems(database: Inspected) -> Iterator[Message]:
    """Yield the time limits that a server does not keep as the settings want them."""
    if database.server is None:
        return
    limits = database.server.limits_ms
    for name, wanted in server_limits(database.config).items():
        if name in limits and limits[name][0] != int(wanted) and not _unset(database, name):
            yield _other_limit(database.name, name, int(wanted), *limits[name])
        elif name == CLIENT_CHECK and name not in limits:
            yield _unknown_limit(database.name, name, database.server)
    idle_ms, source = limits.get("idle_session_timeout", (0, ""))
    if 0 < idle_ms < _oldest_ms(database.config):
        yield Message(
            id="db.W014",
            level=Level.WARNING,
            text=f"{database.name}: the server closes a connection that was idle for"
            f" {_seconds(idle_ms)} (idle_session_timeout, by {source}), sooner than the pool"
            f" replaces it (pool_recycle_s={database.config.pool_recycle_s:g})",
            hint="set pool_recycle_s below it, or idle_session_timeout to 0 for this user",
        )


def _unset(database: Inspected, name: str) -> bool:
    """Return whether a limit cannot hold, because whoever waits there is the pooler."""
    return name == CLIENT_CHECK and database.config.pooler is not None


def _other_limit(database: str, name: str, wanted_ms: int, real_ms: int, source: str) -> Message:
    return Message(
        id="db.W013",
        level=Level.WARNING,
        text=f"{database}: {name} is {_seconds(real_ms)} on the server, by {source}, and not"
        f" {_seconds(wanted_ms)} as in the settings",
        hint="something between drops what is said at the start of a connection: set it for the"
        f" user, ALTER ROLE ... SET {name} = '{wanted_ms}ms'",
    )


def _unknown_limit(database: str, name: str, server: ServerFacts) -> Message:
    return Message(
        id="db.W013",
        level=Level.WARNING,
        text=f"{database}: PostgreSQL {server.version} does not know {name}: a statement goes on"
        " after its client has left",
        hint="PostgreSQL 14 and later know it; or write client_check_interval_s=0",
    )


def _oldest_ms(config: Database) -> float:
    return config.pool_recycle_s * 1000 or float("inf")


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:g} s" if milliseconds else "off"


def pooler_problems(database: Inspected) -> Iterator[Message]:
    """Yield what does not fit between a pooler and what the settings say of it."""
    if database.server is None:
        return
    config = database.config
    if database.server.is_pooled and config.pooler is None:
        yield Message(
            id="db.W011",
            level=Level.WARNING,
            text=f"{database.name}: {target_of(config)} is a pooler: the session is not the one"
            " that the driver was given",
            hint="write Database(..., pooler='transaction', direct_url=...), unless it pools whole"
            " sessions",
        )
    if config.pooler is not None and not database.server.is_pooled:
        yield Message(
            id="db.I011",
            level=Level.INFO,
            text=f"{database.name}: {target_of(config)} is no pooler, and pooler='transaction'"
            " costs each read two round trips more",
            hint="leave pooler out",
        )
    if config.pooler is not None and config.direct_url is None:
        yield Message(
            id="db.W012",
            level=Level.WARNING,
            text=f"{database.name}: it has a pooler and no direct_url: migrations cannot keep their"
            " lock through it, and nobody can listen",
            hint="write Database(..., direct_url=...) with the server's own address",
        )


def migration_problems(database: Inspected) -> Iterator[Message]:
    """Yield the migrations that only the code or only the database has, and a file that is lost."""
    if database.difference is None:
        return
    if broken := database.difference.broken:
        yield Message(
            id="db.E073",
            level=Level.ERROR,
            text=f"{database.name}: migrate refuses: [{broken.code}] {broken.where}:"
            f" {broken.message}",
            hint=broken.hint,
        )
        return
    option = "" if database.name == "default" else f" --database {database.name}"
    if unapplied := database.difference.unapplied:
        are = "migration is" if len(unapplied) == 1 else "migrations are"
        yield Message(
            id="db.W015",
            level=Level.WARNING,
            text=f"{database.name}: {len(unapplied)} {are} not applied: {_named(unapplied)}",
            hint=f"run: manage migrate{option}",
        )
    if ahead := database.difference.ahead:
        yield Message(
            id="db.E073",
            level=Level.ERROR,
            text=f"{database.name}: the database is ahead of this code: it has {_named(ahead)}",
            hint="deploy the code that has these files, or let it take them back first",
        )


def _named(ids: tuple[str, ...]) -> str:
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return f"{', '.join(ids[:NAMED])}{more}"


def file_problems(database: Inspected) -> Iterator[Message]:
    """Yield what is wrong with a SQLite file and its place."""
    if database.path is None or database.failure is not None:
        return
    subject = f"{database.name}: {database.path}"
    yield from _faults(database.file, subject)
    if problem := place_problem(database.path):
        yield Message(
            id="db.W018",
            level=Level.WARNING,
            text=f"{subject}: {problem}",
            hint="give it a place on a disk of this host",
        )


def _faults(file: FileFacts | None, subject: str) -> Iterator[Message]:
    if file is None:
        yield Message(
            id="db.W016",
            level=Level.WARNING,
            text=f"{subject}: there is no such file yet",
            hint="run: manage migrate",
        )
        return
    if file.journal_mode != "wal":
        yield Message(
            id="db.W017",
            level=Level.WARNING,
            text=f"{subject}: its journal mode is {file.journal_mode} and not wal: readers wait for"
            " whoever writes",
            hint="see that nobody else has it open, and that its file system can share memory",
        )
    if not file.foreign_keys:
        yield Message(
            id="db.E074",
            level=Level.ERROR,
            text=f"{subject}: its foreign keys are not kept",
            hint="this SQLite was built without them; install another",
        )
