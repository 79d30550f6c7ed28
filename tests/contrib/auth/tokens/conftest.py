"""A running project that gives tokens, and the little that each test says about it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from fastforge import Role
from fastforge.contrib.auth import (
    AbstractUser,
    Identity,
    InvalidToken,
    TokenPair,
    create_user,
    find_user,
    issue,
)
from fastforge.contrib.auth.default_user.models import User
from fastforge.contrib.auth.kinds import TOKEN_VERIFIERS
from fastforge.contrib.db import Model, session
from fastforge.contrib.db.resources import database
from fastforge.lifecycle import Container, current_container, use_container
from fastforge.signing import clock as signing_clock
from tests.contrib.auth.conftest import settings
from tests.folder import ProjectFolder

KEY = "k3y-of-these-tests-" * 3
TABLES = ("auth_user", "auth_token_family", "auth_api_key", "auth_forgotten")
SQLITE = "sqlite+aiosqlite:///db.sqlite3"

Start = Callable[..., AbstractAsyncContextManager[Container]]


def text(
    url: str = SQLITE, *, key: str = KEY, old: str = "", auth: str = "", apps: str = ""
) -> str:
    """The settings of a project that gives tokens."""
    fallbacks = [old] if old else []
    return settings(url, auth=auth, apps=apps) + (
        f"    SECRET_KEY = {key!r}\n    SECRET_KEY_FALLBACKS = {fallbacks!r}\n"
    )


@pytest.fixture
def start(folder: ProjectFolder) -> Start:
    """Runs the project with other settings, on the same database."""

    @asynccontextmanager
    async def running(url: str = SQLITE, **options: str) -> AsyncIterator[Container]:
        folder.write({"shop/settings.py": text(url, **options)})
        async with folder.load().running(Role.COMMAND) as container:
            async with container[database].engine.begin() as own:
                tables = [Model.metadata.tables[name] for name in TABLES]
                await own.run_sync(Model.metadata.create_all, tables)
            with use_container(container):
                yield container

    return running


class Clock:
    """The clock of the wall and the one that only goes forward, as tests set them."""

    def __init__(self) -> None:
        self.wall_s = self.monotonic_s = 0.0

    def time(self) -> float:
        return time.time() + self.wall_s

    def monotonic(self) -> float:
        return time.monotonic() + self.monotonic_s

    def advance(self, seconds: float) -> None:
        self.wall_s += seconds
        self.monotonic_s += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(signing_clock, "time", found)
    return found


async def ann(**fields: Any) -> AbstractUser:
    """Make a user, without a password: hashing is not what is tested here."""
    async with session() as db, db.atomic():
        return await create_user(db, "ann@example.org", **fields)


async def pair(user: AbstractUser, scopes: list[str] | None = None) -> TokenPair:
    async with session() as db:
        return await issue(db, user, scopes=scopes)


async def verified(token: str) -> Identity:
    """Whose a token is, by the first verifier that accepts it, and without any cache."""
    for verifier in current_container().registry.values(TOKEN_VERIFIERS):
        if verifier.accepts(token):
            return await verifier.verify(token)
    raise InvalidToken("nobody accepts it")


async def is_good(token: str) -> bool:
    try:
        await verified(token)
    except InvalidToken:
        return False
    return True


async def change(**fields: Any) -> None:
    """Change Ann, as a handler of somebody else would."""
    async with session() as db, db.atomic():
        user = await find_user(db, "ann@example.org")
        assert user is not None
        for name, value in fields.items():
            setattr(user, name, value)


async def delete_ann() -> None:
    async with session() as db, db.atomic():
        user = await find_user(db, "ann@example.org")
        await db.delete(user)


async def together(*calls: Any) -> list[Any]:
    """Run calls at once; what failed is its exception."""
    return await asyncio.gather(*calls, return_exceptions=True)


__all__ = ["KEY", "SQLITE", "Clock", "Start", "User"]
