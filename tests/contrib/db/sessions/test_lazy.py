"""An attribute that is not loaded says which one it is, also where its session has ended."""

from __future__ import annotations

import pickle

import pytest
from sqlalchemy import ForeignKey, MetaData, func, select
from sqlalchemy.exc import MissingGreenlet
from sqlalchemy.orm import Mapped, load_only, mapped_column, relationship, selectinload
from sqlalchemy.orm.exc import DetachedInstanceError

from fastforge.contrib.db import Model
from fastforge.contrib.db.errors import LazyLoad
from fastforge.contrib.db.model import NAMING_CONVENTION
from fastforge.contrib.db.resources import DatabaseConnection

from ..tables import connections_out


class Base(Model):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING_CONVENTION)


class Author(Base):
    __tablename__ = "author"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    life: Mapped[str] = mapped_column(default="", deferred=True)
    visits: Mapped[int] = mapped_column(default=0, onupdate=func.coalesce(1, 2))
    poems: Mapped[list[Poem]] = relationship(back_populates="author")


class Poem(Base):
    __tablename__ = "poem"

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"))
    author: Mapped[Author] = relationship(back_populates="poems")


async def written(db: DatabaseConnection) -> None:
    async with db.engine.begin() as raw:
        await raw.run_sync(Base.metadata.create_all)
    async with db.session() as session, session.atomic():
        session.add(Author(id=1, name="Ada", poems=[Poem(id=1)]))


def touched(row: Model, name: str) -> str:
    with pytest.raises(LazyLoad) as raised:
        getattr(row, name)
    # What one would catch anyway.
    assert {MissingGreenlet, DetachedInstanceError} < set(type(raised.value).__mro__)
    return str(raised.value)


async def test_after_the_end_of_its_session(sqlite: DatabaseConnection) -> None:
    await written(sqlite)
    async with sqlite.session() as session:
        author = await session.get_one(Author, 1)
        poem = await session.get_one(Poem, 1)
        loaded = await session.scalar(select(Author).options(selectinload(Author.poems)))
    ended = "is not loaded, and the session of this"
    assert touched(poem, "author") == (
        f"[db.E057] Poem.author {ended} Poem has ended; add .options(selectinload(Poem.author)) to"
        " the select, or `await poem.awaitable_attrs.author` before the session ends"
    )
    assert touched(author, "life") == (
        f"[db.E057] Author.life {ended} Author has ended; `await db.refresh(author)`, or"
        " `await author.awaitable_attrs.life`, before the session ends"
    )
    assert author.name == "Ada"
    assert loaded is not None
    assert [each.id for each in loaded.poems] == [1]


async def test_in_what_awaits_it(sqlite: DatabaseConnection) -> None:
    await written(sqlite)
    async with sqlite.session() as session:
        poem = await session.get_one(Poem, 1)
    with pytest.raises(LazyLoad, match=r"Poem\.author is not loaded, and the session"):
        await poem.awaitable_attrs.author


async def test_where_the_select_left_it_out(sqlite: DatabaseConnection) -> None:
    await written(sqlite)
    async with sqlite.session() as session:
        author = await session.scalar(select(Author).options(load_only(Author.id)))
    assert author is not None
    assert "Author.name is not loaded, and the session" in touched(author, "name")
    copy = pickle.loads(pickle.dumps(author))
    assert "Author.name is not loaded, and the session" in touched(copy, "name")


async def test_after_a_rollback_and_the_end(sqlite: DatabaseConnection) -> None:
    await written(sqlite)
    async with sqlite.session() as session:
        author = await session.get_one(Author, 1)
        with pytest.raises(ZeroDivisionError):
            async with session.atomic():
                author.name = "Grace"
                await session.flush()
                _ = 1 / 0
        assert "Author.id, Author.name" in touched(author, "id")
        assert "was expired by a rollback" in touched(author, "name")
    assert "Author.id, Author.name" in touched(author, "id")
    assert "has ended" in touched(author, "name")


async def test_what_the_database_fills_at_an_update(sqlite: DatabaseConnection) -> None:
    await written(sqlite)
    async with sqlite.session() as session, session.atomic():
        author = await session.get_one(Author, 1)
        author.name = "Grace"
        await session.flush()
        assert touched(author, "visits") == (
            "[db.E015] Author.visits is not loaded: it is deferred, made by the database, or was"
            " expired by a rollback; `await db.refresh(author)`, or"
            " `await author.awaitable_attrs.visits`"
        )
        assert await author.awaitable_attrs.visits == 1
        author.name = "Ada"
    assert "Author.visits is not loaded, and the session" in touched(author, "visits")


async def test_a_statement_through_the_synchronous_half_is_refused_before_it_runs(
    sqlite: DatabaseConnection,
) -> None:
    session = sqlite.session()
    with pytest.raises(LazyLoad, match="without await"):
        session.sync_session.scalars(select(Author))
    async with session.atomic():
        with pytest.raises(LazyLoad, match="without await"):
            session.sync_session.execute(select(1))
    await session.close()
    assert connections_out(sqlite) == 0
