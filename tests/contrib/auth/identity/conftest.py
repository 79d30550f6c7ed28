"""A project whose tokens name users: `word-7` is the user 7, as long as that one is active."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from fastforge import Role
from fastforge.contrib.auth import Identity, InvalidToken, create_user
from fastforge.contrib.auth.default_user.models import User
from fastforge.contrib.auth.identity.resolving import Identities
from fastforge.contrib.auth.kinds import TOKEN_VERIFIERS
from fastforge.contrib.auth.models import Forgotten
from fastforge.contrib.auth.resources import identities
from fastforge.contrib.db import Model, session
from fastforge.contrib.db.resources import database
from fastforge.lifecycle import Container, current_container, use_container
from tests.contrib.auth.conftest import PASSWORD, settings
from tests.folder import ProjectFolder

KEY = "only-for-these-tests-" * 3
SQLITE = "sqlite+aiosqlite:///db.sqlite3"
VERIFIERS = """
    import asyncio

    from fastforge.contrib.auth import Identity, InvalidToken, TokenVerifier
    from fastforge.contrib.auth.default_user.models import User
    from fastforge.contrib.auth.identity.reading import reading

    class Words(TokenVerifier):
        name = "words"
        expires_at: float | None = None

        def __init__(self) -> None:
            self.asked: list[str] = []
            self.revoked: set[str] = set()
            self.running = self.most = 0
            self.go_on = asyncio.Event()
            self.go_on.set()

        def accepts(self, token: str) -> bool:
            return token.startswith("word-")

        async def verify(self, token: str) -> Identity:
            self.asked.append(token)
            self.running += 1
            self.most = max(self.most, self.running)
            try:
                return await self.read(token)
            finally:
                self.running -= 1

        async def read(self, token: str) -> Identity:
            number = token.removeprefix("word-").partition("-")[0]
            async with reading() as db:
                user = await db.get(User, int(number))
            await self.go_on.wait()
            if token in self.revoked:
                raise InvalidToken("it was revoked")
            if user is None or not user.is_active:
                raise InvalidToken("its user is gone or not active")
            return Identity(
                id=str(user.id), version=user.version, scopes=frozenset(user.scopes),
                token_id=token, expires_at=self.expires_at,
            )

    WORDS = Words()
"""

Start = Callable[..., AbstractAsyncContextManager[Container]]


def text(url: str = SQLITE, *, key: str = KEY, **options: str) -> str:
    """The settings of the project."""
    apps = options.pop("apps", '"shop.web"')
    more = options.pop("more", "")
    return settings(url, apps=apps, **options) + f"    SECRET_KEY = {key!r}\n{more}"


@pytest.fixture
def start(folder: ProjectFolder) -> Start:
    """Runs the project, as one more process of it: they have a database and nothing else."""
    folder.write({"shop/web/token_verifiers.py": VERIFIERS})

    @asynccontextmanager
    async def running(url: str = SQLITE, **options: str) -> AsyncIterator[Container]:
        folder.write({"shop/settings.py": text(url, **options)})
        async with folder.load().running(Role.COMMAND) as container:
            async with container[database].engine.begin() as own:
                await own.run_sync(Model.metadata.create_all, [User.__table__, Forgotten.__table__])
            with use_container(container):
                yield container

    return running


@pytest.fixture
async def running(start: Start) -> AsyncIterator[Container]:
    async with start() as container:
        yield container


@pytest.fixture
def known(running: Container) -> Identities:
    return running[identities]


@pytest.fixture
def words(running: Container) -> Any:
    """The verifier: what it was asked, and what it may do."""
    return words_of(running)


def words_of(container: Container) -> Any:
    return next(each for each in container.registry.values(TOKEN_VERIFIERS) if each.name == "words")


async def sign_up(email: str = "ann@example.org", **fields: Any) -> int:
    """Make a user, and return its key."""
    async with session() as db, db.atomic():
        return (await create_user(db, email, PASSWORD, **fields)).id


async def change(key: int, **fields: Any) -> None:
    """Change a user by its object."""
    async with session() as db, db.atomic():
        user = await db.get_one(User, key)
        for name, value in fields.items():
            setattr(user, name, value)


async def asked(token: str = "word-1") -> Identity | str:
    """Return whose token it is, or why it is nobody's."""
    try:
        return await current_container()[identities].of_token(token)
    except InvalidToken as error:
        return error.reason
