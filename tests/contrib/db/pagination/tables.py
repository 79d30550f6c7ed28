"""Tables with a column of every type that lists are sorted by."""

from __future__ import annotations

import enum
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import Enum, ForeignKey, MetaData, Numeric, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fastforge.contrib.db import Database, Model
from fastforge.contrib.db.model import NAMING_CONVENTION
from fastforge.contrib.db.resources import DatabaseConnection, open_database


class Base(Model):
    """Keeps these tables out of the metadata that a project's models share."""

    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING_CONVENTION)


class Kind(enum.Enum):
    """Its names and its values sort differently."""

    small = "3"
    large = "1"
    other = "2"


class Shelf(Base):
    __tablename__ = "shelf"

    id: Mapped[int] = mapped_column(primary_key=True)
    room: Mapped[str | None]
    items: Mapped[list[Item]] = relationship(back_populates="shelf")


class Item(Base):
    __tablename__ = "item"

    id: Mapped[int] = mapped_column(primary_key=True)
    rank: Mapped[int] = mapped_column(default=7)
    title: Mapped[str | None]
    price: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    ratio: Mapped[float | None]
    at: Mapped[datetime | None] = mapped_column(server_default=func.current_timestamp())
    day: Mapped[date | None]
    key: Mapped[uuid.UUID | None] = mapped_column(unique=True)
    kind: Mapped[Kind | None] = mapped_column(Enum(Kind, native_enum=False))
    native: Mapped[Kind | None] = mapped_column(Enum(Kind, name="kind_of_item"))
    done: Mapped[bool | None]
    raw: Mapped[bytes | None]
    shelf_id: Mapped[int | None] = mapped_column(ForeignKey("shelf.id"))
    shelf: Mapped[Shelf | None] = relationship(back_populates="items")
    marks: Mapped[list[Mark]] = relationship(back_populates="item")


class Solid(Base):
    """The same without NULL, which are compared in another way."""

    __tablename__ = "solid"

    id: Mapped[int] = mapped_column(primary_key=True)
    rank: Mapped[int]
    title: Mapped[str]
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    ratio: Mapped[float]
    at: Mapped[datetime]
    day: Mapped[date]
    key: Mapped[uuid.UUID]
    kind: Mapped[Kind] = mapped_column(Enum(Kind, native_enum=False))
    native: Mapped[Kind] = mapped_column(Enum(Kind, name="kind_of_item"))
    done: Mapped[bool]
    raw: Mapped[bytes]


class Mark(Base):
    """Has a primary key of two columns."""

    __tablename__ = "mark"

    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), primary_key=True)
    text: Mapped[str] = mapped_column(primary_key=True)
    item: Mapped[Item] = relationship(back_populates="marks")


class Thing(Base):
    """The root of models that share tables."""

    id: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str]
    name: Mapped[str]
    shelf_id: Mapped[int | None] = mapped_column(ForeignKey("shelf.id"))
    __mapper_args__: ClassVar = {"polymorphic_on": "type", "polymorphic_identity": "thing"}


class Book(Thing):
    """Has columns in its parent's table."""

    pages: Mapped[int | None]
    __mapper_args__: ClassVar = {"polymorphic_identity": "book"}


class Lamp(Thing):
    """Has a table of its own beside its parent's."""

    __tablename__ = "lamp"
    id: Mapped[int] = mapped_column(ForeignKey(Thing.id), primary_key=True)
    watts: Mapped[int]
    __mapper_args__: ClassVar = {"polymorphic_identity": "lamp"}


@asynccontextmanager
async def opened(url: str, **options: Any) -> AsyncIterator[DatabaseConnection]:
    """Open a database that has the tables."""
    config = Database(url=url, **options)
    connection = await open_database(config, root=Path.cwd(), environment="test")
    try:
        async with connection.engine.begin() as raw:
            await raw.run_sync(Base.metadata.create_all)
        yield connection
    finally:
        await connection.engine.dispose()
