"""A project that has mounted the ready routes, with an empty database, and its jobs."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from fastforge import Project
from fastforge.contrib.auth.terminal import PASSWORD_VARIABLE
from fastforge.contrib.mail import Letter
from fastforge.contrib.mail.memory import delivered
from fastforge.test import Jobs, client, run_command
from fastforge.test.jobs.backends import BackendsOfTests
from tests.folder import ProjectFolder, isolated

PASSWORD = "plum-kettle-9"
NEW = "walnut-harbour-3"
SETTINGS = """
    from fastforge.conf import App
    from fastforge.contrib.auth import Auth
    from fastforge.contrib.auth.api.mail import Accounts
    from fastforge.contrib.db import Database
    from fastforge.contrib.mail import Mail

    INSTALLED_APPS = [
        "fastforge.contrib.db", "fastforge.contrib.mail", "fastforge.contrib.auth",
        "fastforge.contrib.auth.default_user", "fastforge.contrib.sessions", "shop",
        App("fastforge.contrib.auth.api", prefix="/auth"),
        App("fastforge.contrib.auth.api.mail", prefix="/auth"),
        App("fastforge.contrib.auth.api.registration", prefix="/auth"),
        App("fastforge.contrib.auth.api.open_registration", prefix="/open"),
    ]
    DATABASES = {"default": Database(url="sqlite+aiosqlite:///db.sqlite3")}
    SECRET_KEY = "only-for-these-tests-0123456789abcdef0123456789abcdef"
    ALLOWED_HOSTS = ["localhost", "evil.example"]
    TASKS = {"backend": "memory"}
    MAIL = Mail(from_address="shop@example.org")
    AUTH = Auth()
    ACCOUNTS = Accounts(
        site_name="Shop",
        reset_url="https://shop.example.org/reset#{token}",
        verification_url="https://shop.example.org/verify#{token}",
        registration_url="https://shop.example.org/new#{token}",
    )
"""
GUARDS = """
    from fastforge.contrib.auth import Attempt, LoginGuard, TooManyAttempts

    async def before(attempt: Attempt) -> None:
        if attempt.login == "flood@example.org":
            raise TooManyAttempts.after(60)

    async def after(attempt: Attempt, succeeded: bool) -> None: ...

    OURS = LoginGuard(name="ours", before=before, after=after)
"""


ROUTES = """
    from fastapi import APIRouter

    from fastforge.contrib.auth import CurrentUser, create_api_key, find_user
    from fastforge.contrib.db import DbSession
    from fastforge.contrib.sessions import Session, log_in

    router = APIRouter()

    @router.post("/key")
    async def key(user: CurrentUser, db: DbSession) -> str:
        return (await create_api_key(db, user, "a program")).key

    @router.post("/cookie")
    async def cookie(db: DbSession, session: Session) -> None:
        user = await find_user(db, "ann@example.org")
        assert user is not None
        await log_in(session, user)
"""
MAILS = """
    from fastforge.contrib.auth.api.mail import Occasion, account_mail
    from fastforge.contrib.mail import Message

    @account_mail("password_changed")
    def changed(occasion: Occasion) -> Message:
        name = occasion.user.login if occasion.user else ""
        return Message(to=occasion.email, subject="Neues Passwort", text=f"{name} hat eines")
"""


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with Ann in it, whose address is proven; made once for all these tests."""
    path = tmp_path_factory.mktemp("shop")
    with isolated(path) as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv(PASSWORD_VARIABLE, PASSWORD)
        _write(folder)
        project = folder.load()
        assert run_command(project, "migrate").exit_code == 0
        assert run_command(project, "createuser", "ann@example.org").exit_code == 0
    return path / "db.sqlite3"


@pytest.fixture
def folder(tmp_path: Path, empty_database: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        _write(folder)
        shutil.copy(empty_database, tmp_path / "db.sqlite3")
        yield folder


def _write(folder: ProjectFolder) -> None:
    folder.write(
        {
            "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
            "shop/settings.py": SETTINGS,
            "shop/login_guards.py": GUARDS,
            "shop/account_mails.py": MAILS,
            "shop/routes.py": ROUTES,
        }
    )


@dataclass(frozen=True, slots=True)
class Shop:
    """The project, as somebody sees it who sends requests and reads mail."""

    project: Project
    http: httpx.AsyncClient
    jobs: Jobs

    async def post(self, path: str, bearer: str = "", /, **body: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return await self.http.post(path, json=body or None, headers=headers)

    async def log_in(self, password: str = PASSWORD) -> dict[str, Any]:
        answer = await self.post("/auth/login", login="ann@example.org", password=password)
        assert answer.status_code == 200, answer.text
        pair: dict[str, Any] = answer.json()
        return pair

    def change(self, change: str) -> None:
        """Change Ann past everything, as another system does."""
        with sqlite3.connect(self.project.settings.root / "db.sqlite3") as connection:
            connection.execute(f"UPDATE auth_user SET {change} WHERE email = 'ann@example.org'")

    async def me(self, token: str) -> httpx.Response:
        return await self.http.get("/auth/me", headers={"Authorization": f"Bearer {token}"})

    async def letters(self) -> list[Letter]:
        """What was mailed since this was asked last."""
        await self.jobs.drain()
        found = list(delivered)
        delivered.clear()
        return found

    async def mailed_token(self) -> str:
        (letter,) = await self.letters()
        line = next(each for each in letter.text.split() if each.count(".") and len(each) > 60)
        return line.rpartition("#")[2]


@pytest.fixture
async def shop(folder: ProjectFolder) -> AsyncIterator[Shop]:
    delivered.clear()
    backends = BackendsOfTests()
    project = backends.used_by(folder.load())
    jobs = Jobs(project, backends)
    async with client(project) as http:
        yield Shop(project, http, jobs)
    await jobs.close()
