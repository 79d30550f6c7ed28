"""How long a session lasts, whatever somebody does to the clock of the machine."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest

from fastforge import Project
from fastforge.contrib.auth.identity import log, near, resolving
from fastforge.contrib.sessions import keeper
from fastforge.signing import clock
from fastforge.test import run_command
from tests.folder import ProjectFolder

from .shop import browser, log_in, settings

HOUR_S = 3600


class Clocks:
    """The two clocks of a machine, as sessions read them."""

    def __init__(self) -> None:
        self.wall = clock.now_s()
        self.monotonic = self.wall - clock._MONOTONIC_TO_WALL_S

    def go_on(self, by_s: float) -> None:
        self.wall += by_s
        self.monotonic += by_s


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clocks = Clocks()
    fake = SimpleNamespace(time=lambda: clocks.wall, monotonic=lambda: clocks.monotonic)
    for module in (clock, keeper, log, near, resolving):
        monkeypatch.setattr(module, "time", fake)
    return clocks


@pytest.fixture
def project(folder: ProjectFolder, database: Path) -> Project:
    shutil.copy(database, folder.path / "db.sqlite3")
    text = settings(sessions=f"idle_s={HOUR_S}, lifetime_s={4 * HOUR_S}")
    folder.write({"shop/settings.py": text})
    return folder.load()


@pytest.mark.parametrize("set_back_s", [0, HOUR_S, 100 * HOUR_S])
async def test_a_session_that_nobody_uses_ends(
    project: Project, clocks: Clocks, set_back_s: int
) -> None:
    async with browser(project) as http:
        await log_in(http)
        await http.post("/cart/7")
        clocks.wall -= set_back_s
        for _ in range(3):  # in use: it lasts, though one read a minute later would be no write
            clocks.go_on(HOUR_S - 60)
            assert (await http.get("/me")).status_code == 200
            assert (await http.get("/cart")).json() == [7]
        clocks.go_on(HOUR_S + 60)
        assert (await http.get("/me")).status_code == 401
        assert (await http.get("/cart")).json() == []


@pytest.mark.parametrize("set_back_s", [0, HOUR_S])
async def test_a_session_that_is_used_all_the_time_ends_as_well(
    project: Project, clocks: Clocks, set_back_s: int
) -> None:
    async with browser(project) as http:
        await log_in(http)
        clocks.wall -= set_back_s
        for _ in range(7):
            clocks.go_on(HOUR_S / 2)
            assert (await http.get("/me")).status_code == 200
        rotated = await http.post("/rotate")  # lengthens nothing
        assert f"Max-Age={HOUR_S // 2}" in rotated.headers["set-cookie"]
        clocks.go_on(HOUR_S / 2 + 1)
        assert (await http.get("/me")).status_code == 401


async def test_a_session_that_is_used_writes_only_now_and_then(
    project: Project, clocks: Clocks, statements: list[str]
) -> None:
    async with browser(project) as http:
        await log_in(http)
        await http.get("/cart")
        statements.clear()
        for _ in range(5):
            clocks.go_on(10)
            await http.get("/cart")
        assert {each.split()[0] for each in statements} == {"SELECT"}  # no transaction either
        clocks.go_on(60)
        await http.get("/cart")
        assert [each for each in statements if each.startswith("UPDATE sessions_stored")] != []


async def test_what_has_expired_is_deleted_by_the_way(
    project: Project, folder: ProjectFolder, clocks: Clocks
) -> None:
    async with browser(project) as one, browser(project) as other:
        await one.post("/cart/7")
        clocks.go_on(2 * HOUR_S)
        await other.post("/cart/8")
        assert (await other.get("/cart")).json() == [8]
    with sqlite3.connect(folder.path / "db.sqlite3") as db:
        assert db.execute("SELECT data FROM sessions_stored_session").fetchall() == [
            ('{"cart": [8]}',)
        ]


async def test_a_command_deletes_what_has_expired(
    project: Project, folder: ProjectFolder, clocks: Clocks
) -> None:
    async with browser(project) as http:
        for _ in range(3):
            await http.post("/cart/7")
            http.cookies.clear()
        assert run_command(project, "clearsessions").output == "deleted: 0 sessions\n"
        clocks.go_on(2 * HOUR_S)
        assert run_command(project, "clearsessions").output == "deleted: 3 sessions\n"
