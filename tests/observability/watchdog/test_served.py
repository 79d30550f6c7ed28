"""A running project: whose request it was, whose job, and who holds the threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fastforge import Role
from fastforge.asgi import get_asgi_application
from fastforge.observability.context import RunningJob, request_id, running_job
from fastforge.observability.watchdog.running import watch_loop
from fastforge.observability.watchdog.settings import Watchdog
from fastforge.test.http import client
from tests.folder import ProjectFolder, isolated
from tests.processes import wait_until_async

from .blocks import block_by_sleeping
from .conftest import Said

FILES = {
    "shop/settings.py": """
        from fastforge.conf import App
        from fastforge.observability import Watchdog

        INSTALLED_APPS = [App("shop", prefix="/shop")]
        WATCHDOG = Watchdog(enabled=True, report_every_s=0)
        """,
    "shop/routes.py": """
        import asyncio
        import time
        from fastapi import APIRouter

        router = APIRouter()

        def pay(seconds: float) -> None:
            time.sleep(seconds)

        @router.get("/orders/{number}")
        async def order(number: int) -> int:
            pay(0.3)
            return number

        @router.get("/tasks/{number}")
        async def in_another_task(number: int) -> int:
            async def work() -> None:
                pay(0.3)

            await asyncio.create_task(work())
            return number
        """,
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(FILES)
        yield folder


async def test_the_route_and_the_id_of_the_request_are_told(
    folder: ProjectFolder, said: Said
) -> None:
    application = get_asgi_application(folder.load())
    async with client(application) as http:
        for kind in ("orders", "tasks"):
            said.lines.clear()
            answered = await asked(http, f"/shop/{kind}/7", said)
            [line] = said.of("event_loop_blocked")
            assert line["function"] == "pay"
            assert line["route"] == f"/shop/{kind}/{{number}}"
            assert line["request_id"] == answered


async def asked(http: Any, path: str, said: Said) -> str:
    """Ask until the machine had time to block in; return the id of the last request."""

    async def ask() -> str | None:
        said.lines.clear()
        answer = await http.get(path)
        await asyncio.sleep(0.1)
        id_: str = answer.headers["x-request-id"]
        return id_ if said.of("event_loop_blocked") else None

    return await wait_until_async(ask)


async def test_the_job_is_told_in_place_of_a_request(said: Said) -> None:
    async def job() -> None:
        request_id.set("r-1")
        running_job.set(RunningJob("shop.send", "j-1", 2))
        block_by_sleeping(0.3)
        await asyncio.sleep(0.1)

    async def blocked() -> bool:
        await asyncio.create_task(job())
        return bool(said.of("event_loop_blocked"))

    async with watching():
        await wait_until_async(blocked)
    line = said.of("event_loop_blocked")[0]
    told = {name: line[name] for name in ("job_id", "task", "attempt", "request_id")}
    assert told == {"job_id": "j-1", "task": "shop.send", "attempt": 2, "request_id": "r-1"}
    assert "route" not in line


class watching:
    """Runs the watchdog as the service does."""

    def __init__(self, **settings: Any) -> None:
        self._settings = Watchdog(**{"report_every_s": 0, **settings})

    async def __aenter__(self) -> None:
        self._stopping = asyncio.Event()
        self._task = asyncio.create_task(
            watch_loop(self._settings, lambda scope: None, self._stopping)
        )
        await asyncio.sleep(0.05)

    async def __aexit__(self, *error: object) -> None:
        self._stopping.set()
        await self._task


async def test_the_functions_that_hold_all_threads_are_named(said: Said) -> None:
    import anyio.to_thread

    door = threading.Event()

    def hold() -> None:
        door.wait()

    limiter = anyio.to_thread.current_default_thread_limiter()
    before, limiter.total_tokens = limiter.total_tokens, 2
    async with watching(pool_threshold_s=0.05):
        calls = [asyncio.create_task(anyio.to_thread.run_sync(hold)) for _ in range(3)]
        try:
            await wait_until_async(lambda: said.of("thread_pool_starved"))
        finally:
            door.set()
            await asyncio.gather(*calls)
            limiter.total_tokens = before
    line = said.of("thread_pool_starved")[0]
    assert (line["threads"], line["waiting"]) == (2, 1)
    [function] = line["functions"]
    assert function.startswith("2 in ")
    assert function.endswith("hold")


@pytest.mark.parametrize(
    ("environment", "role", "runs"),
    [
        ("production", Role.WEB, True),
        ("production", Role.WORKER, True),
        ("production", Role.COMMAND, False),
        ("development", Role.WEB, False),
    ],
)
async def test_it_runs_in_production_in_servers_and_workers(
    tmp_path: Path, environment: str, role: Role, *, runs: bool
) -> None:
    def names() -> list[str]:
        return [thread.name for thread in threading.enumerate()]

    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": "INSTALLED_APPS = ['shop']"})
        environ = {"FASTFORGE_ENV": environment, "SECRET_KEY": "k8Zq1vN0yT-4sWbJm7RcXo2LhUfEa9Gd"}
        async with folder.load(environ).running(role):
            if runs:
                await wait_until_async(lambda: "fastforge-watchdog" in names())
            else:
                await asyncio.sleep(0.05)
                assert "fastforge-watchdog" not in names()
    assert "fastforge-watchdog" not in names()
