"""Server: the facts about a PostgreSQL server that one query tells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ..engine import Engines

__all__ = ["Limited", "ServerFacts", "ask_server"]

UNLIMITED: Final = -1
LIMITS: Final = (
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "client_connection_check_interval",
    "idle_session_timeout",
)

# One row with one document: the drivers give back types of their own for everything else. What a
# server does not have yet is not among its settings.
QUERY: Final = text(
    f"""
    SELECT json_build_object(
        'version', current_setting('server_version'),
        'started', pg_postmaster_start_time()::text || ' ' || current_setting('port'),
        'pid', pg_backend_pid(),
        'read_only',
            pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean,
        'settings', (
            SELECT json_object_agg(name, json_build_array(setting, source)) FROM pg_settings
            WHERE name IN ('max_connections', 'superuser_reserved_connections',
                'reserved_connections', {", ".join(f"'{name}'" for name in LIMITS)})
        ),
        'role', (
            SELECT json_build_array(rolname, rolconnlimit, rolsuper) FROM pg_roles
            WHERE rolname = current_user
        ),
        'database', (
            SELECT json_build_array(datname, datconnlimit) FROM pg_database
            WHERE datname = current_database()
        ),
        'sessions', (
            SELECT json_build_array(
                count(*), count(*) FILTER (WHERE usename = current_user),
                count(*) FILTER (WHERE datname = current_database())
            )
            FROM pg_stat_activity
            WHERE datid IS NOT NULL AND usesysid IS NOT NULL
                AND NOT starts_with(application_name, :own)
        )
    )::text
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limited:
    """Something that may have only so many connections.

    Attributes:
        name: What it is, as messages name it.
        most: How many connections there may be; None for any number.
        others: How many others have now, without the processes of this project.
        reason: How the number comes about.
    """

    name: str
    most: int | None
    others: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """A server as one of its sessions sees it.

    Attributes:
        version: Its own name for its version.
        identity: The same for each database of one server, and for no other server.
        is_pooled: Whether something between hands out the server's sessions.
        is_read_only: Whether it is a replica, or lets nobody write.
        limits_ms: The time limits that hold, in milliseconds, and where each was set.
        server: What all databases of it share.
        role: What all sessions of the user share.
        database: What all sessions of the database share.
    """

    version: str
    identity: str
    is_pooled: bool
    is_read_only: bool
    limits_ms: Mapping[str, tuple[int, str]]
    server: Limited
    role: Limited
    database: Limited


async def ask_server(engines: Engines, *, project: str) -> ServerFacts:
    """Ask a server everything, in one query.

    Args:
        engines: The views of a pool.
        project: The name of the project, with which the names of its sessions begin.

    Raises:
        SQLAlchemyError: The query fails.
    """
    async with AsyncEngine(engines.read).connect() as connection:
        own_pid = await _pid_of_connection(connection)
        found = json.loads(await connection.scalar(QUERY, {"own": f"{project}:"}) or "")
    return _facts(found, is_pooled=own_pid != found["pid"])


async def _pid_of_connection(connection: AsyncConnection) -> int:
    """Return the process that the driver was told of when it connected: a pooler makes one up."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    if hasattr(driver, "get_server_pid"):  # asyncpg
        return int(driver.get_server_pid())
    return int(driver.info.backend_pid)


def _facts(found: dict[str, Any], *, is_pooled: bool) -> ServerFacts:
    settings: dict[str, list[str]] = found["settings"]
    role, role_most, is_superuser = found["role"]
    database, database_most = found["database"]
    if is_superuser:  # whom no limit but the server's own stops
        role_most = database_most = UNLIMITED
    others, others_of_role, others_of_database = found["sessions"]
    return ServerFacts(
        version=found["version"].partition(" ")[0],  # distributors add who has built it
        identity=found["started"],
        is_pooled=is_pooled,
        is_read_only=found["read_only"],
        limits_ms={
            name: (int(settings[name][0]), settings[name][1]) for name in LIMITS if name in settings
        },
        server=_server(settings, others, is_superuser=is_superuser),
        role=_limited(f"the user {role}", role_most, others_of_role),
        database=_limited(f"the database {database}", database_most, others_of_database),
    )


def _server(settings: dict[str, list[str]], others: int, *, is_superuser: bool) -> Limited:
    total = int(settings["max_connections"][0])
    kept = 0
    if not is_superuser:
        names = ("superuser_reserved_connections", "reserved_connections")
        kept = sum(int(settings[name][0]) for name in names if name in settings)
    reason = f"max_connections {total}" + (f" - {kept} reserved" if kept else "")
    return Limited(name="the server", most=total - kept, others=others, reason=reason)


def _limited(name: str, most: int, others: int) -> Limited:
    limit = None if most == UNLIMITED else most
    return Limited(name=name, most=limit, others=others, reason=f"its CONNECTION LIMIT {most}")
