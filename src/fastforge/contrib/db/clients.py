"""Clients: the program that talks to a database in a terminal, and how it is told where."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from sqlalchemy.engine import URL

from ...exceptions import CommandError
from .engine import url_of
from .pool.arguments import ssl_mode
from .settings import Database

__all__ = ["Client", "client_of"]

LEAST_CONNECT_TIMEOUT_S: Final = 2
"""libpq counts whole seconds and reads less than this as this."""
PYTHON_WITH_SQLITE_SHELL: Final = (3, 12)

INSTALL: Final = MappingProxyType(
    {
        "psql": ("apt-get install postgresql-client", "brew install libpq"),
        "sqlite3": ("apt-get install sqlite3", "brew install sqlite"),
    }
)
"""How a program is installed on Linux with apt, and on macOS."""

LIBPQ: Final = MappingProxyType(
    {
        "application_name": "PGAPPNAME",
        "options": "PGOPTIONS",
        "passfile": "PGPASSFILE",
        "service": "PGSERVICE",
        "sslcert": "PGSSLCERT",
        "sslkey": "PGSSLKEY",
        "sslrootcert": "PGSSLROOTCERT",
        "target_session_attrs": "PGTARGETSESSIONATTRS",
        "user": "PGUSER",
        "password": "PGPASSWORD",
    }
)
"""The variable by which psql is told what a URL says behind its question mark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A program and what it is started with.

    Args:
        program: Its path.
        command: Its name and its arguments.
        environment: Variables that it gets besides those that are there; a password is one.
    """

    program: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


def client_of(database: Database, *, root: Path) -> Client:
    """Return the program for a database.

    Args:
        database: Where it is.
        root: The folder that a relative SQLite file is relative to.

    Raises:
        CommandError: The program is not installed.
    """
    url = url_of(database, root)
    if not database.is_sqlite:
        mode = ssl_mode(database)
        return Client(
            program=_installed("psql"),
            command=["psql"],
            environment={
                **_address(url),
                **_options(url, database.connect_timeout_s),
                **({"PGSSLMODE": mode} if mode else {}),
            },
        )
    file = str(url.database)
    if shutil.which("sqlite3") is None and sys.version_info >= PYTHON_WITH_SQLITE_SHELL:
        return Client(program=sys.executable, command=[sys.executable, "-m", "sqlite3", file])
    return Client(program=_installed("sqlite3"), command=["sqlite3", file])


def _installed(name: str) -> str:
    found = shutil.which(name)
    if found is not None:
        return found
    linux, macos = INSTALL[name]
    raise CommandError(
        f"the program {name} is not installed",
        code="db.E031",
        hint=f"install it, for example with: {macos if sys.platform == 'darwin' else linux}",
    )


def _address(url: URL) -> dict[str, str]:
    """Return host, port, name and account; what the URL leaves out, psql's own rules fill."""
    known = {
        "PGHOST": url.host,
        "PGPORT": url.port,
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
    }
    return {name: str(value) for name, value in known.items() if value}


def _options(url: URL, connect_timeout_s: float) -> dict[str, str]:
    timeout_s = max(LEAST_CONNECT_TIMEOUT_S, math.ceil(connect_timeout_s))
    values = {name: _joined(value) for name, value in url.query.items()}
    found = {LIBPQ[name]: value for name, value in values.items() if name in LIBPQ}
    return {"PGCONNECT_TIMEOUT": str(timeout_s), **_hosts(values), **found}


def _joined(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else ",".join(value)


def _hosts(values: Mapping[str, str]) -> dict[str, str]:
    """Return what `?host=` says: a socket's folder, or hosts that may have a port each."""
    hosts = [part.rpartition(":") if ":" in part else (part, "", "") for part in _split(values)]
    if not hosts:
        return {}
    ports = [port for _, _, port in hosts]
    found = {"PGHOST": ",".join(host for host, _, _ in hosts)}
    return found | ({"PGPORT": ",".join(ports)} if any(ports) else {})


def _split(values: Mapping[str, str]) -> list[str]:
    return [part for part in values.get("host", "").split(",") if part]
