"""The session dependency that is found in most FastAPI projects: commit after the `yield`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)


def make_engine(url: str) -> AsyncEngine:
    """Return the engine with the options that guides recommend."""
    return create_async_engine(url, pool_size=5, max_overflow=0, pool_pre_ping=True)


def add_routes(app: FastAPI, engine: AsyncEngine, row: type) -> None:
    """Add one route that reads a row and one that writes one."""
    make_session = async_sessionmaker(engine, expire_on_commit=False)

    async def get_session() -> AsyncIterator[AsyncSession]:
        async with make_session() as session:
            try:
                yield session
                await session.commit()
            except BaseException:
                await session.rollback()
                raise

    database = Annotated[AsyncSession, Depends(get_session)]

    async def read(db: AsyncSession) -> dict[str, str]:
        found = await db.get(row, 1_000_000_000)
        return {"text": found.text if found else ""}

    async def write(db: AsyncSession) -> dict[str, int]:
        made = row(text="new")
        db.add(made)
        await db.flush()
        return {"id": made.id}

    # The alias is local, so that the annotations are given as objects.
    read.__annotations__["db"] = write.__annotations__["db"] = database
    app.get("/row")(read)
    app.post("/row")(write)
