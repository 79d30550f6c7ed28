"""Ledger: the table in which a database remembers the migrations that it has.

One row a migration, and not alembic's heads: a head hides what came before it, so that removing
an app, or going back to older code, would leave nobody knowing what the database has.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    MetaData,
    String,
    Table,
    delete,
    func,
    insert,
    inspect,
    select,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from ..engine import Engines
from ..faults.missing import schema_missing

__all__ = ["TABLE_NAME", "applied", "forget", "prepare", "read", "record"]

TABLE_NAME: Final = "fastforge_migration"

_TABLE: Final = Table(
    TABLE_NAME,
    MetaData(),
    Column("id", String(255), primary_key=True),
    Column("applied_at", DateTime(timezone=True), server_default=func.now(), nullable=False),
)


def applied(connection: Connection) -> set[str]:
    """Return the ids of the migrations that a database has; none before the first `migrate`."""
    if not inspect(connection).has_table(TABLE_NAME):
        return set()
    return set(connection.scalars(select(_TABLE.c.id)))


async def read(engines: Engines) -> set[str]:
    """Return the same for a pool, by one query; on SQLite without waiting for whoever writes."""
    async with AsyncEngine(engines.read).connect() as connection:
        try:
            return set(await connection.scalars(select(_TABLE.c.id)))
        except DBAPIError as error:
            if schema_missing(error):
                return set()
            raise


def prepare(connection: Connection) -> None:
    """Make the table unless it is there."""
    _TABLE.create(connection, checkfirst=True)


def record(connection: Connection, migration_id: str) -> None:
    """Note that a migration was applied."""
    connection.execute(insert(_TABLE).values(id=migration_id))


def forget(connection: Connection, migration_id: str) -> None:
    """Note that a migration was taken back."""
    connection.execute(delete(_TABLE).where(_TABLE.c.id == migration_id))
