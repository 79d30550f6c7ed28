"""The number of threads is the settings' while a project runs, and what it was before."""

from __future__ import annotations

import asyncio

import anyio.to_thread
import pytest
from starlette.testclient import TestClient

from fastforge import Project, Role, get_asgi_application
from fastforge.core.settings import Server
from fastforge.offloading.running import ANYIO_THREADS
from tests.processes import wait_until_async

from .conftest import Door, MakeProject


def tokens() -> float:
    return anyio.to_thread.current_default_thread_limiter().total_tokens


@pytest.mark.parametrize("role", list(Role))
async def test_they_are_set_in_every_role_and_put_back(project: Project, role: Role) -> None:
    before = tokens()
    async with project.running(role):
        assert tokens() == 3
    assert tokens() == before


async def test_projects_that_start_and_stop_in_any_order_leave_what_was(
    make_project: MakeProject,
) -> None:
    before = tokens()
    first = make_project(threads=3).running(Role.COMMAND)
    await first.__aenter__()
    stop, second_runs = asyncio.Event(), asyncio.Event()

    async def second() -> None:
        async with make_project(threads=5).running(Role.COMMAND):
            second_runs.set()
            await stop.wait()
            assert tokens() == 5

    task = asyncio.create_task(second())
    await second_runs.wait()
    assert tokens() == 5
    await first.__aexit__(None, None, None)
    stop.set()
    await task
    assert tokens() == before


async def test_the_number_that_anyio_begins_with_is_the_default_of_the_settings(
    make_project: MakeProject,
) -> None:
    """Such a project sets nothing, unless another one in the event loop has."""
    assert tokens() == ANYIO_THREADS == Server().threads
    async with make_project(threads=ANYIO_THREADS).running(Role.COMMAND):
        assert tokens() == ANYIO_THREADS
        async with make_project(threads=3).running(Role.COMMAND):
            assert tokens() == 3
            async with make_project(threads=ANYIO_THREADS).running(Role.COMMAND):
                assert tokens() == ANYIO_THREADS
            assert tokens() == 3
        assert tokens() == ANYIO_THREADS


async def test_plain_dependencies_and_others_share_them(project: Project, door: Door) -> None:
    async with project.running(Role.COMMAND):
        calls = [asyncio.create_task(anyio.to_thread.run_sync(door.enter)) for _ in range(9)]
        await wait_until_async(lambda: door.inside == 3)
        door.open()
        assert await asyncio.gather(*calls) == [3] * 9


def test_a_start_again_in_another_event_loop_finds_them_set(project: Project) -> None:
    app = get_asgi_application(project)

    @app.get("/tokens")
    async def get_tokens() -> float:
        return tokens()

    for _ in range(2):
        with TestClient(app) as client:
            assert client.get("/tokens").json() == 3
