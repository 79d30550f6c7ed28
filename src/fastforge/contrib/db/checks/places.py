"""DATABASES: who can read what goes there, who may log in, and where a file is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from ....checks import Level, Message, check
from ....checks.nearness import is_near
from ....core.platforms.scaling import scales
from ....core.settings import Server
from ..settings import Database
from .limits import servers

if TYPE_CHECKING:
    from ....project import Project

__all__ = ["files_are_kept", "files_are_on_one_host", "nobody_reads_on_the_way", "users_are_safe"]

GUESSED: Final = frozenset(
    {"admin", "changeme", "password", "postgres", "root", "secret", "test", "123456", "12345678"}
)
UNSURE: Final = frozenset({"disable", "allow", "prefer"})
FLEETING: Final = ("/tmp/", "/var/tmp/", "/dev/shm/", "/run/")


@check(tags={"database", "security"}, deploy=True)
def nobody_reads_on_the_way(project: Project) -> Iterator[Message]:
    """Find a PostgreSQL outside to which everything may go unencrypted."""
    from ..pool.arguments import ssl_mode  # SQLAlchemy's half of a second, for the few

    for name, database in servers(project):
        host = urlsplit(database.url).hostname or ""
        if not is_near(host) and (mode := ssl_mode(database)) in UNSURE:
            yield Message(
                id="db.W020",
                level=Level.WARNING,
                text=f"{name}: what goes to {host} need not be encrypted (ssl is {mode!r}): rows"
                " and the password can be read on the way",
                hint="leave ssl out, or write 'verify-full'",
                where=project.settings.where("DATABASES"),
            )


@check(tags={"database", "security"}, deploy=True)
def users_are_safe(project: Project) -> Iterator[Message]:
    """Find a password that is tried first, and an application that may do everything."""
    where = project.settings.where("DATABASES")
    for name, database in servers(project):
        parts = urlsplit(database.url)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if password and password.lower() in {*GUESSED, user.lower()}:
            yield Message(
                id="db.E077",
                level=Level.ERROR,
                text=f"{name}: the password of {user!r} is one of those that are tried first",
                hint='make one with: python -c "import secrets; print(secrets.token_urlsafe())"',
                where=where,
            )
        if user == "postgres":
            yield Message(
                id="db.W021",
                level=Level.WARNING,
                text=f"{name}: the application is the superuser 'postgres': a hole in it may read"
                " and write every database, and the files of the server",
                hint="make a user that owns this database alone",
                where=where,
            )


@check(tags={"database"}, deploy=True)
def files_are_kept(project: Project) -> Iterator[Message]:
    """Find a SQLite file that is gone after a restart."""
    databases: dict[str, Database] = project.settings["DATABASES"]
    for name, database in databases.items():
        path = urlsplit(database.url).path.removeprefix("/")
        if database.is_sqlite and path.startswith(FLEETING):
            yield Message(
                id="db.W022",
                level=Level.WARNING,
                text=f"{name}: the SQLite file {path} is in a folder that is emptied",
                hint="put it where it is kept, /var/lib/shop for one",
                where=project.settings.where("DATABASES"),
            )


@check(tags={"database", "server"}, deploy=True)
def files_are_on_one_host(project: Project) -> Iterator[Message]:
    """Refuse a SQLite file where several hosts serve: each would have one of its own."""
    settings = project.settings
    databases: dict[str, Database] = settings["DATABASES"]
    server = settings.section(Server)
    files = [name for name, each in databases.items() if each.is_sqlite and not each.read_only]
    pods = max((scale.pods for scale in scales(settings.root)), default=1)
    hosts = max(pods, (server.processes or 1) // (server.workers or server.processes or 1))
    if files and hosts > 1 and settings.environment == "production":
        yield Message(
            id="db.E078",
            level=Level.ERROR,
            text=f"{hosts} hosts serve, and {files[0]} is a SQLite file: each has rows of its own",
            hint="use PostgreSQL, or let one host serve",
            where=settings.where("DATABASES"),
        )
