"""A client for an application that is started and stopped around it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from fastapi import FastAPI, Request

from fastforge import Project
from fastforge.exceptions import StartError
from fastforge.test import client
from tests.folder import isolated


class Site:
    """A plain application that notes what happens to it."""

    def __init__(self) -> None:
        self.noted: list[str] = []
        self.opening = asyncio.Event()
        self.may_open = asyncio.Event()
        self.may_open.set()
        self.app = FastAPI(lifespan=self.lifespan)
        self.app.add_api_route("/state", self.state)
        self.app.add_api_route("/fail", self.fail)

    @asynccontextmanager
    async def lifespan(self, app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        # A cancel scope has to be left by the task that entered it.
        async with anyio.create_task_group() as group:
            self.opening.set()
            try:
                await self.may_open.wait()
                self.noted.append("open")
                yield {"answer": 42}
            finally:
                group.cancel_scope.cancel()
                self.noted.append("closed")

    async def state(self, request: Request) -> int:
        answer: int = request.state.answer
        request.state.answer = 0  # each request has a copy
        return answer

    async def fail(self) -> None:
        raise LookupError("no such thing")


@pytest.fixture
async def site() -> Site:
    return Site()


async def test_the_lifespan_runs_and_its_state_is_in_every_request(site: Site) -> None:
    async with client(site.app) as http:
        assert site.noted == ["open"]
        for _ in range(2):
            assert (await http.get("/state")).json() == 42
        assert (await http.get("/state")).url == "http://localhost/state"
    assert site.noted == ["open", "closed"]


async def test_an_exception_of_a_handler_reaches_the_test_unless_the_answer_is_wanted(
    site: Site,
) -> None:
    async with client(site.app) as http:
        with pytest.raises(LookupError, match="no such thing"):
            await http.get("/fail")
    async with client(site.app, raise_app_exceptions=False, headers={"x": "y"}) as http:
        assert (await http.get("/fail")).status_code == 500
        assert http.headers["x"] == "y"


async def test_it_may_be_entered_and_left_in_different_tasks(site: Site) -> None:
    manager = client(site.app)
    http = await asyncio.create_task(manager.__aenter__())
    assert (await http.get("/state")).status_code == 200
    await asyncio.create_task(manager.__aexit__(None, None, None))
    assert site.noted == ["open", "closed"]


async def test_a_cancelled_start_closes_what_was_opened(site: Site) -> None:
    site.may_open.clear()

    async def use() -> None:
        async with client(site.app):
            raise AssertionError("not started")

    task = asyncio.create_task(use())
    await site.opening.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert site.noted == ["closed"]


async def test_a_cancelled_test_still_closes(site: Site) -> None:
    inside = asyncio.Event()

    async def use() -> None:
        async with client(site.app):
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(use())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert site.noted == ["open", "closed"]


async def test_a_failing_start_raises_what_the_application_raised() -> None:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        raise OSError("the disk is away")
        yield

    with pytest.raises(OSError, match="the disk is away"):
        async with client(FastAPI(lifespan=lifespan)):
            pass


async def test_a_failing_stop_raises_too() -> None:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        async with client(FastAPI(lifespan=lifespan)):
            pass


async def test_an_application_whose_lifespan_ends_at_once_is_told() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None: ...

    async def refusing(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no licence"})

    with pytest.raises(StartError, match=r"\[test.E001\] .*: its lifespan ended"):
        async with client(app):
            pass
    with pytest.raises(StartError, match=r"\[test.E001\] .*: no licence"):
        async with client(refusing):
            pass


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Project]:
    with isolated(tmp_path) as folder:
        folder.write(
            {
                "shop/settings.py": 'INSTALLED_APPS = ["shop.search"]',
                "shop/search/resources.py": """
                    from fastforge import resource

                    @resource
                    async def index():
                        raise OSError("no index here")
                        yield
                    """,
            }
        )
        yield folder.load()


async def test_a_resource_that_does_not_open_is_the_one_line_of_a_server(shop: Project) -> None:
    with pytest.raises(StartError) as failure:
        async with client(shop):
            pass
    assert "the resource 'index' of the app 'search' could not be opened" in str(failure.value)
    assert failure.value.code == "lifecycle.E004"


async def test_without_it_the_project_answers(shop: Project) -> None:
    index = shop.registry.get("resources", "index").value
    async with client(shop.overriding(resources={index: None})) as http:
        answer = await http.get("/nowhere")
    assert isinstance(answer, httpx.Response)
    assert answer.status_code == 404
