"""What is found before a worker runs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fastforge import Role
from fastforge.checks import run_checks
from fastforge.contrib.jobs.resources import job_store
from fastforge.core.checks.tasks import tasks_have_a_backend
from fastforge.tasks.records import WorkerBeat
from tests.folder import ProjectFolder, isolated

from .doing import job
from .shop import Shop

TASK = """
    from fastforge.tasks import task

    @task
    async def work(number: int) -> None: ...
"""
APPS = '["fastforge.contrib.db", "fastforge.contrib.jobs", "shop"]'


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        yield folder


def test_tasks_without_the_app_of_their_backend_are_an_error(folder: ProjectFolder) -> None:
    folder.write({"shop/settings.py": 'INSTALLED_APPS = ["shop"]', "shop/tasks.py": TASK})
    (message,) = tasks_have_a_backend.function(folder.load())
    assert message.id == "tasks.E020"
    assert "fastforge.contrib.jobs" in message.hint
    assert str(message.where).endswith("shop/tasks.py:3")


def test_a_misspelt_backend_is_told_with_the_one_that_is_meant(folder: ProjectFolder) -> None:
    settings = f"""
        from fastforge.tasks import Tasks

        INSTALLED_APPS = {APPS}
        TASKS = Tasks(backend="databse")
    """
    folder.write({"shop/settings.py": settings, "shop/tasks.py": TASK})
    (message,) = tasks_have_a_backend.function(folder.load())
    assert message.hint == "did you mean 'database'?"


def test_jobs_in_memory_are_a_warning_before_a_deploy(folder: ProjectFolder) -> None:
    settings = """
        from fastforge.tasks import Tasks

        INSTALLED_APPS = ["shop"]
        TASKS = Tasks(backend="memory")
    """
    folder.write({"shop/settings.py": settings, "shop/tasks.py": TASK})
    assert "tasks.W002" in {message.id for message in run_checks(folder.load(), deploy=True)}
    assert "tasks.W002" not in {message.id for message in run_checks(folder.load())}


def test_a_project_without_tasks_needs_no_backend(folder: ProjectFolder) -> None:
    folder.write({"shop/settings.py": 'INSTALLED_APPS = ["shop"]'})
    assert list(tasks_have_a_backend.function(folder.load())) == []


def test_tasks_with_their_backend_are_right(folder: ProjectFolder) -> None:
    folder.write({"shop/settings.py": f"INSTALLED_APPS = {APPS}", "shop/tasks.py": TASK})
    project = folder.load()
    assert list(tasks_have_a_backend.function(project)) == []
    assert [message for message in run_checks(project) if message.id.startswith("jobs")] == []


def test_many_jobs_on_few_connections_are_a_warning(folder: ProjectFolder) -> None:
    settings = f"""
        from fastforge.contrib.db import Database
        from fastforge.tasks import Tasks

        INSTALLED_APPS = {APPS}
        TASKS = Tasks(concurrency=500)
        DATABASES = {{"default": Database(url="sqlite+aiosqlite:///db.sqlite3", pool_size=5)}}
    """
    folder.write({"shop/settings.py": settings, "shop/tasks.py": TASK})
    found = [message for message in run_checks(folder.load()) if message.id == "jobs.W001"]
    assert [message.text for message in found] == [
        "500 jobs of a worker share 5 database connections"
    ]


def test_a_lease_that_is_lost_by_waiting_is_a_warning(folder: ProjectFolder) -> None:
    settings = f"""
        from fastforge.tasks import Tasks

        INSTALLED_APPS = {APPS}
        TASKS = Tasks(lease_s=5)
    """
    folder.write({"shop/settings.py": settings, "shop/tasks.py": TASK})
    found = [message for message in run_checks(folder.load()) if message.id == "jobs.W010"]
    assert [message.text for message in found] == [
        "a lease of 5 s is lost by a worker that waits 3 times 5 s for the database"
    ]


async def test_jobs_in_a_queue_that_no_worker_takes_are_found(
    folder: ProjectFolder, sqlite_url: str
) -> None:
    shop = Shop(folder, sqlite_url, tasks="")
    assert await asyncio.to_thread(found_jobs, folder) == []  # and the file is not made
    await shop.create_table()
    async with folder.load().running(Role.COMMAND) as container:
        store = container[job_store]
        await store.enqueue([job(queue=queue) for queue in ("mail", "mail", "paused", "taken")])
        await store.desk.pause("paused")
        await store.beat(beat("w1", "a", "taken"))
        assert await asyncio.to_thread(found_jobs, folder) == [
            "2 jobs are due in the queue 'mail', which no worker takes at present"
        ]
        await store.beat(beat("w2", "b", "mail"))
        assert await asyncio.to_thread(found_jobs, folder) == [
            "workers on 2 hosts take jobs from one SQLite file: a, b"
        ]


async def test_jobs_that_another_backend_left_in_the_table_are_found(
    folder: ProjectFolder, sqlite_url: str
) -> None:
    shop = Shop(folder, sqlite_url, tasks="")
    await shop.create_table()
    async with folder.load().running(Role.COMMAND) as container:
        store = container[job_store]
        await store.enqueue([job(queue="mail"), job(delay_s=60)])
        Shop(folder, sqlite_url, tasks="backend='memory'")
        await store.beat(beat("w1", "a", "mail"))
        assert await asyncio.to_thread(found_jobs, folder) == []  # it ends what is left
        await store.leave("w1")
    assert await asyncio.to_thread(found_jobs, folder) == [
        "2 jobs wait in the table of the backend 'database', and TASKS.backend is 'memory':"
        " no worker takes them"
    ]


def found_jobs(folder: ProjectFolder) -> list[str]:
    found = run_checks(folder.load(), connecting=["database"])
    return [message.text for message in found if message.id.startswith("jobs")]


def beat(worker_id: str, host: str, queue: str) -> WorkerBeat:
    return WorkerBeat(
        worker_id=worker_id,
        host=host,
        pid=1,
        queues=(queue,),
        concurrency=1,
        running=0,
        version="1",
        started_at=datetime.now(UTC),
    )


def test_a_task_that_needs_a_request_is_refused_when_the_project_loads(
    folder: ProjectFolder,
) -> None:
    from fastforge.exceptions import DependencyError

    task = """
        from typing import Annotated
        from fastapi import Depends, Request
        from fastforge.tasks import injected, task

        async def user(request: Request) -> str: ...

        @task
        async def greet(*, user: Annotated[str, Depends(user)] = injected) -> None: ...
    """
    folder.write({"shop/settings.py": f"INSTALLED_APPS = {APPS}", "shop/tasks.py": task})
    with pytest.raises(DependencyError, match=r"tasks\.py:\d+.*wanted by greet"):
        folder.load()
