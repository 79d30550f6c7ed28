"""The cached dependency that most FastAPI projects have: a token in Redis as the JSON of a user."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Annotated

import redis.asyncio as redis
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict
from sqlalchemy import String
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from .sessions import make_engine

__all__ = ["VERIFYING_S", "Identified", "usual"]

VERIFYING_S = 0.1
TTL_S = 300


class Base(DeclarativeBase):
    """The base of the models."""


class User(Base):
    """The row that the token is of."""

    __tablename__ = "auth_user"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    is_active: Mapped[bool]


class UserOut(BaseModel):
    """What is cached."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    email: str
    is_active: bool


class Identified:
    """What the dependencies of the application share.

    Attributes:
        redis: The client.
        verified: How often a token was really checked.
    """

    def __init__(self, database_url: str, redis_url: str) -> None:
        self._engine = make_engine(database_url)
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)
        self.redis: redis.Redis = redis.Redis.from_url(redis_url)
        self.verified = 0

    async def session(self) -> AsyncIterator[AsyncSession]:
        """Give a session, and commit after the handler."""
        async with self._sessions() as session:
            try:
                yield session
                await session.commit()
            except BaseException:
                await session.rollback()
                raise

    async def user_of(self, token: str, db: AsyncSession, cache: redis.Redis) -> UserOut:
        """Return whose token it is, from the cache or by the check."""
        key = f"token:{hashlib.sha256(token.encode()).hexdigest()}"
        cached = await cache.get(key)
        if cached is not None:
            return UserOut.model_validate_json(cached)
        self.verified += 1
        await asyncio.sleep(VERIFYING_S)  # whoever has issued the token is asked
        user = await db.get(User, int(token.rpartition("-")[2]))
        if user is None or not user.is_active:
            raise HTTPException(401)
        found = UserOut.model_validate(user)
        await cache.setex(key, TTL_S, found.model_dump_json())
        return found

    async def close(self) -> None:
        """Close the connections."""
        await self.redis.aclose()
        await self._engine.dispose()


def usual(identified: Identified) -> FastAPI:
    """Return an application with one route that says who asks."""
    app, bearer = FastAPI(), HTTPBearer()

    async def get_redis() -> redis.Redis:
        return identified.redis

    async def get_current_user(
        credentials: HTTPAuthorizationCredentials, db: AsyncSession, cache: redis.Redis
    ) -> UserOut:
        return await identified.user_of(credentials.credentials, db, cache)

    async def get_current_active_user(user: UserOut) -> UserOut:
        if not user.is_active:
            raise HTTPException(400, "Inactive user")
        return user

    async def me(user: UserOut) -> dict[str, int]:
        return {"id": user.id}

    # The dependencies are local, so that the annotations are given as objects.
    get_current_user.__annotations__ |= {
        "credentials": Annotated[HTTPAuthorizationCredentials, Depends(bearer)],
        "db": Annotated[AsyncSession, Depends(identified.session)],
        "cache": Annotated[redis.Redis, Depends(get_redis)],
    }
    get_current_active_user.__annotations__["user"] = Annotated[UserOut, Depends(get_current_user)]
    me.__annotations__["user"] = Annotated[UserOut, Depends(get_current_active_user)]
    app.get("/me")(me)
    return app
