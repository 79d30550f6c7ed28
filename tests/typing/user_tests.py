"""A user's tests: everything that an editor shows has a type. Read by mypy and pyright, not run."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated, assert_type

import httpx
from fastapi import FastAPI

from fastforge import Project, provide, resource
from fastforge.test import (
    ForEachTest,
    Result,
    TestSetup,
    client,
    live_server,
    run_command,
    setup_for_tests,
)


@resource
async def search() -> AsyncIterator[str]:
    yield "search"


Search = Annotated[str, provide(search)]


@asynccontextmanager
async def stand_in(pool: Search) -> AsyncGenerator[str, None]:
    yield pool


async def use(project: Project, application: FastAPI) -> None:
    changed = project.overriding(settings={"DEBUG": True}, resources={search: stand_in})
    assert_type(changed, Project)
    async with client(changed, raise_app_exceptions=False) as http:
        assert_type(http, httpx.AsyncClient)
    async with client(application) as http:
        assert_type((await http.get("/")).status_code, int)
    with live_server(project) as url:
        assert_type(url, str)
    assert_type(run_command(project, "migrate", "--check"), Result)


@setup_for_tests
def nothing(project: Project, worker: str) -> Iterator[ForEachTest]:
    @contextmanager
    def for_each_test(project: Project) -> Generator[Project, None, None]:
        yield project

    yield for_each_test


assert_type(nothing, TestSetup)
