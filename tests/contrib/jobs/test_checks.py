"""What is found before a worker runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fastforge.checks import run_checks
from fastforge.core.checks.tasks import tasks_have_a_backend
from tests.folder import ProjectFolder, isolated

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
