"""The tables of the database's tests, and a database that has them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ForeignKey, MetaData, func, make_url, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fastforge.contrib.db import Database, Model
from fastforge.contrib.db.model import NAMING_CONVENTION
from fastforge.contrib.db.resources import DatabaseConnection, open_database


class Base(Model):
    """Keeps these tables out of the metadata that a project's models share."""

    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING_CONVENTION)


class Account(Base):
    __tablename__ = "account"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    balance: Mapped[int] = mapped_column(default=0)
    opened_at: Mapped[datetime | None] = mapped_column(server_default=func.current_timestamp())
    entries: Mapped[list[Entry]] = relationship(back_populates="account")


class Entry(Base):
    __tablename__ = "entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    # Checked at COMMIT, so that a commit can fail.
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", deferrable=True, initially="DEFERRED")
    )
    text: Mapped[str] = mapped_column(default="")
    account: Mapped[Account] = relationship(back_populates="entries")


class Place(Base):
    """Has a primary key of two columns."""

    __tablename__ = "place"

    row: Mapped[int] = mapped_column(primary_key=True)
    seat: Mapped[str] = mapped_column(primary_key=True)
    guest: Mapped[str] = mapped_column(default="")


@asynccontextmanager
async def opened(url: str, **options: Any) -> AsyncIterator[DatabaseConnection]:
    """Open a database; the tables are those of `Base`, new ones where they are missing."""
    config = Database(url=url, **options)
    connection = await open_database(config, root=Path.cwd(), environment="test")
    try:
        async with connection.engine.begin() as raw:
            await raw.run_sync(Base.metadata.create_all)
        yield connection
    finally:
        await connection.engine.dispose()


@asynccontextmanager
async def limited(url: str, *, connections: int) -> AsyncIterator[str]:
    """Give the same database for a role that may have few connections."""
    given = make_url(url)
    role = f"narrow_{given.database}"
    async with opened(url) as world:
        async with world.engine.begin() as raw:
            create = f"CREATE ROLE {role} LOGIN PASSWORD 'x' CONNECTION LIMIT {connections}"
            await raw.execute(text(create))
        yield given.set(username=role, password="x").render_as_string(hide_password=False)
        async with world.engine.begin() as raw:
            await raw.execute(text(f"DROP ROLE {role}"))


def connections_out(connection: DatabaseConnection) -> int:
    """How many connections of the pool are in use."""
    pool: Any = connection.engine.sync_engine.pool
    out: int = pool.checkedout()
    return out
