"""What was acknowledged is there, whichever processes are killed while clients write."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from fastforge.chaos.lives import read_lives
from fastforge.chaos.probing import Choice
from fastforge.chaos.program import Launch, ServerOptions
from fastforge.chaos.report import Report
from fastforge.chaos.scenario import Crowd, Disturbance, Scenario
from fastforge.chaos.subject import Subject
from fastforge.chaos.wire import Target
from fastforge.chaos.workshop import Workshop
from fastforge.lifecycle.diary import DIARY_VARIABLE
from tests.commanding import start
from tests.folder import ProjectFolder
from tests.processes import (
    Process,
    clean_environment,
    is_running,
    run,
    wait_until,
    wait_until_async,
)

pytestmark = pytest.mark.long

WRITERS = 4
KILLS = 3
RUN_AGAIN_WITHIN_S = 60
"""A job of a killed worker runs again when its lease of 30 s is over."""

PROJECT = {
    "pyproject.toml": """
        [tool.fastforge]
        settings = "shop.settings"
        """,
    "shop/settings.py": """
        from fastforge.conf import env
        from fastforge.contrib.db import Database
        from fastforge.core.settings import Server

        SECRET_KEY = "only-for-these-tests-0123456789abcdef0123456789abcdef"
        INSTALLED_APPS = ["fastforge.contrib.db", "fastforge.contrib.jobs", "shop.notes"]
        DATABASES = {"default": Database(url=env("DATABASE_URL"))}
        SERVER = Server(drain_s=3, linger_s=1, graceful_s=10)
        """,
    "shop/asgi.py": """
        from fastforge.asgi import get_asgi_application

        app = get_asgi_application(settings_module="shop.settings")
        """,
    "shop/notes/models.py": """
        from fastforge.contrib.db import Model
        from sqlalchemy.orm import Mapped, mapped_column


        class Note(Model):
            id: Mapped[int] = mapped_column(primary_key=True)
            text: Mapped[str]
            words: Mapped[int | None]
        """,
    "shop/notes/tasks.py": """
        import asyncio

        from fastforge import injected, task
        from fastforge.contrib.db import DbSession

        from .models import Note


        @task
        async def count_words(note_id: int, *, db: DbSession = injected) -> None:
            await asyncio.sleep(0.1)
            async with db.atomic():
                note = await db.get(Note, note_id)
                note.words = len(note.text.split())
        """,
    "shop/notes/routes.py": """
        from fastapi import APIRouter
        from fastforge.contrib.db import DbSession
        from sqlalchemy import func, select

        from .models import Note
        from .tasks import count_words

        router = APIRouter()


        @router.get("/notes")
        async def number_of_notes(db: DbSession) -> int:
            return await db.scalar(select(func.count(Note.id)))


        @router.post("/notes", status_code=201)
        async def write(text: str, db: DbSession) -> int:
            note = Note(text=text)
            db.add(note)
            await db.flush()
            await count_words.enqueue(note_id=note.id)
            return note.id
        """,
}


@pytest.fixture
def environ(postgres_url: str) -> dict[str, str]:
    return clean_environment() | {"DATABASE_URL": postgres_url, "FASTFORGE_ENV": "production"}


@pytest.fixture
def folder(tmp_path: Path, environ: dict[str, str]) -> Path:
    """The project, with its tables made."""
    path = tmp_path / "project"
    path.mkdir()
    ProjectFolder(path).write(PROJECT)
    for command in (["makemigrations"], ["migrate"]):
        done = run([sys.executable, "-m", "fastforge", *command], cwd=path, env=environ)
        assert done.returncode == 0, done.stderr
    return path


async def test_no_row_and_no_job_is_lost_when_processes_are_killed_under_load(
    folder: Path, environ: dict[str, str], tmp_path: Path, postgres_dsn: str
) -> None:
    diary = tmp_path / "jobs.jsonl"
    with jobs(folder, environ, diary) as workers:
        report, written = await prove_while_writing(folder, environ, diary)
        wait_until(
            lambda: not written - counted(postgres_dsn),
            deadline_s=RUN_AGAIN_WITHIN_S,
            describe=workers,
        )
    assert report.problems == ()
    assert len(report.killed) == KILLS
    assert max(report.replaced_s) < 4
    assert len(written) > 50


def jobs(folder: Path, environ: dict[str, str], diary: Path) -> Process:
    """Two processes that run jobs."""
    argv = [sys.executable, "-m", "fastforge", "runworker", "--processes", "2"]
    return start(argv, cwd=folder, env=environ | {DIARY_VARIABLE: str(diary)})


async def prove_while_writing(
    folder: Path, environ: dict[str, str], diary: Path
) -> tuple[Report, set[int]]:
    """Kill processes that serve and that run jobs; what the writers were told is written."""
    launch = Launch.of_project(
        "shop.settings",
        options=ServerOptions(workers=2).as_arguments(),
        cwd=folder,
        environ=environ,
    )
    subject = Subject(
        launch=launch,
        target=Target(port=launch.port, host=f"127.0.0.1:{launch.port}"),
        ready_path="/readyz",
        workers=2,
        start_limit_s=60,
        stop_limit_s=60,
        drain_s=3,
    )
    scenario = Scenario(
        disturbance=Disturbance.KILL, crowd=Crowd.of(8), rounds=KILLS, pause_s=4, warm_s=3
    )
    with Workshop(subject) as workshop:
        proof = asyncio.create_task(workshop.prove(scenario, Choice(paths=("/livez", "/notes"))))
        async with writing(f"http://127.0.0.1:{launch.port}/notes") as written:
            for _ in range(KILLS):
                await kill_one(diary)
                await asyncio.sleep(3)
            return await proof, written


@asynccontextmanager
async def writing(url: str) -> AsyncIterator[set[int]]:
    """Writers that note what is acknowledged, until the end of the block."""
    written: set[int] = set()
    ending = asyncio.Event()

    async def write() -> None:
        async with httpx.AsyncClient(timeout=60) as client:
            while not ending.is_set():
                try:
                    answer = await client.post(url, params={"text": "some words"})
                except httpx.TransportError:
                    await asyncio.sleep(0.05)
                    continue
                if answer.status_code == 201:
                    written.add(answer.json())

    writers = [asyncio.create_task(write()) for _ in range(WRITERS)]
    try:
        yield written
    finally:
        ending.set()
        await asyncio.gather(*writers)


async def kill_one(diary: Path) -> None:
    """Kill one of the processes that run jobs, once both are at it."""

    def working() -> list[int]:
        lives = [life for life in read_lives(diary) if life.running and not life.ended]
        pids = [life.pid for life in lives if is_running(life.pid)]
        return pids if len(pids) == 2 else []

    pids = await wait_until_async(working)
    os.kill(pids[0], signal.SIGKILL)


def counted(dsn: str) -> set[int]:
    """The notes whose job has run."""
    with psycopg.connect(dsn) as connection:
        found = connection.execute("SELECT id FROM notes_note WHERE words IS NOT NULL")
        return {number for (number,) in found}
