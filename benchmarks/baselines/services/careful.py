"""The service as careful teams write it on FastAPI.

Its requests are logged by a pure ASGI layer and structlog as its page on performance recommends,
its session ends with the handler, and a token is looked up in Redis without a session.

Usage: uvicorn benchmarks.baselines.services.careful:app
"""

from __future__ import annotations

import hashlib
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import orjson
import redis.asyncio as redis
import structlog
from fastapi import Depends, FastAPI, HTTPException, Request
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from ..access_line import AccessLine
from .many_routes import add_many_routes
from .rows import Item
from .shapes import ItemOut, NewItem, UserOut

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.JSONRenderer(serializer=orjson.dumps),
    ],
    wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer),
    cache_logger_on_first_use=True,
)
engine = create_async_engine(os.environ["BENCH_DATABASE_URL"], pool_size=5, max_overflow=0)
make_session = async_sessionmaker(engine, expire_on_commit=False)
cache = redis.Redis.from_url(os.environ["BENCH_REDIS_URL"])


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Close the connections in the end."""
    yield
    await cache.aclose()
    await engine.dispose()


app = FastAPI(lifespan=lifespan)
app.add_middleware(AccessLine)


async def get_session() -> AsyncIterator[AsyncSession]:
    """Give a session, and commit before the answer."""
    async with make_session() as session, session.begin():
        yield session


async def get_user(request: Request) -> UserOut:
    """Return who asks, as it is kept."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise HTTPException(401)
    cached = await cache.get(f"token:{hashlib.sha256(token.encode()).hexdigest()}")
    if cached is None:
        raise HTTPException(401)
    return UserOut.model_validate_json(cached)


Database = Annotated[AsyncSession, Depends(get_session, scope="function")]
User = Annotated[UserOut, Depends(get_user)]


@app.get("/ping")
async def ping() -> dict[str, str]:
    """Answer."""
    return {"ping": "pong"}


@app.get("/me")
async def me(user: User) -> UserOut:
    """Say who asks."""
    return user


@app.get("/items/{item_id}", response_model=ItemOut)
async def read(item_id: int, db: Database) -> Item:
    """Return one item."""
    item = await db.get(Item, item_id)
    if item is None:
        raise HTTPException(404)
    return item


@app.post("/items", status_code=201, response_model=ItemOut)
async def create(new: NewItem, db: Database) -> Item:
    """Store an item."""
    item = Item(**new.model_dump())
    db.add(item)
    await db.flush()
    return item


if "BENCH_ROUTES" in os.environ:
    add_many_routes(app)
