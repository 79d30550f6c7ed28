"""Fifty logins at once, over HTTP: two hashes at a time, a bounded queue, and the loop goes on."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from typing import Any

import pytest

from fastforge import Project
from fastforge.contrib.auth.library import Argon2Hasher
from fastforge.contrib.auth.terminal import PASSWORD_VARIABLE
from fastforge.test import client, run_command
from tests.folder import ProjectFolder

from .conftest import PASSWORD, settings

ROUTES = """
    from fastapi import APIRouter, HTTPException

    from fastforge.contrib.auth import authenticate, create_user
    from fastforge.contrib.db import DbSession, non_atomic

    router = APIRouter()

    @router.post("/login")
    @non_atomic
    async def login(email: str, password: str, db: DbSession) -> int:
        user = await authenticate(db, email, password)
        if user is None:
            raise HTTPException(401)
        return user.id

    @router.post("/register")
    async def register(email: str, password: str, db: DbSession) -> int:
        return (await create_user(db, email, password)).id

    @router.get("/free")
    async def free() -> str:
        return "free"
"""


@pytest.fixture
def project(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> Project:
    auth = "hashing_threads=2, hashing_queue=10"
    folder.write(
        {
            "shop/settings.py": settings(auth=auth, apps='"shop.web"'),
            "shop/web/routes.py": ROUTES,
        }
    )
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    project = folder.load()
    assert run_command(project, "migrate").exit_code == 0
    assert run_command(project, "createuser", "ann@example.org").exit_code == 0
    return project


async def test_fifty_logins_at_once_neither_block_the_loop_nor_take_more_than_two_threads(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two are hashed, ten wait and are let in; the others are told to come again."""
    go = threading.Event()
    threads: list[int] = []
    verify: Any = Argon2Hasher.verify

    def held(self: Any, password: str, stored: str) -> bool:
        threads.append(threading.get_ident())
        assert go.wait(60)
        result: bool = verify(self, password, stored)
        return result

    monkeypatch.setattr(Argon2Hasher, "verify", held)
    question = {"email": "ann@example.org", "password": PASSWORD}
    async with client(project) as http:
        try:
            logins = [asyncio.create_task(http.post("/login", params=question)) for _ in range(50)]
            while sum(each.done() for each in logins) < 38:
                await asyncio.sleep(0.001)
            assert (await http.get("/free")).text == '"free"'
            assert len(threads) == 2
        finally:
            go.set()
        answers = await asyncio.gather(*logins)
    assert Counter(each.status_code for each in answers) == {200: 12, 503: 38}
    refused = [each for each in answers if each.status_code == 503]
    assert {each.headers["Retry-After"] for each in refused} == {"1"}
    assert {each.json()["code"] for each in refused} == {"auth.E011"}
    assert len(threads) == 12
    assert threading.get_ident() not in threads


async def test_what_is_refused_at_registration_is_said_without_the_password(
    project: Project,
) -> None:
    async with client(project) as http:
        weak = await http.post("/register", params={"email": "b@x.y", "password": "qwertyuiop"})
        odd = await http.post("/register", params={"email": "b", "password": PASSWORD})
        taken = await http.post(
            "/register", params={"email": "ANN@example.org", "password": PASSWORD}
        )
        made = await http.post("/register", params={"email": "B@x.y", "password": PASSWORD})
    assert [each.status_code for each in (weak, odd, taken, made)] == [422, 422, 409, 200]
    assert weak.json()["code"] == "auth.E010"
    assert "qwertyuiop" not in weak.text
