"""A project with jobs on some backend, and `manage jobs` called in it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from fastforge import Project, Role
from fastforge.core.resources import memory_jobs
from fastforge.management.cli import run
from fastforge.tasks import (
    AttemptError,
    Claim,
    ClaimRequest,
    Clock,
    Envelope,
    JobQuery,
    JobRecord,
    MemoryBackend,
    Outcome,
    Settlement,
    TaskBackend,
    Verdict,
)
from fastforge.tasks.backend import backend_of
from fastforge.tasks.records import WorkerBeat
from tests.conftest import with_driver
from tests.folder import ProjectFolder

from ..conftest import Result

T = TypeVar("T")

TASKS = """
from fastforge import task

@task
async def send(text: str = "") -> None: ...

@task(queue="mail")
async def remind(text: str = "") -> None: ...
"""
SEND = "shop.notes.tasks.send"
REMIND = "shop.notes.tasks.remind"
DEAD = Outcome(
    verdict=Verdict.DEAD,
    error=AttemptError(
        attempt=1,
        at="2026-11-29T09:30:00+00:00",
        type="shop.bank.Refused",
        message="the card is refused",
        trace="Traceback (most recent call last):\n  here\nshop.bank.Refused: it is refused\n",
    ),
)
DONE = Outcome(verdict=Verdict.SUCCEEDED, result={"sent": 3})


class Jobs:
    """The jobs of a project: what a worker does with them, and what is typed about them."""

    def __init__(self, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
        self.project = project
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Result:
        """Type `manage jobs ...`."""
        self._capsys.readouterr()
        code = run(["jobs", *arguments], program="manage", project=self.project)
        result = Result(code, *self._capsys.readouterr())
        err = "".join(line for line in result.err.splitlines(True) if "'memory'" not in line)
        return Result(code, result.out, err)

    def json(self, *arguments: str) -> list[dict[str, Any]]:
        """Type it with `--json`."""
        result = self(*arguments, "--json")
        assert result.code == 0, result.err
        return [json.loads(line) for line in result.out.splitlines()]

    def do(self, act: Callable[[TaskBackend], Awaitable[T]]) -> T:
        """Do something with the backend itself."""

        async def inside() -> T:
            async with self.project.running(Role.COMMAND) as container:
                return await act(backend_of(container))

        return asyncio.run(inside())

    def enqueue(self, task: str = SEND, **options: Any) -> str:
        """Enqueue a job and return its id."""
        envelope = Envelope(task=task, payload=options.pop("payload", {"text": "hi"}), **options)

        async def enqueue(backend: TaskBackend) -> None:
            await backend.enqueue([envelope])

        self.do(enqueue)
        return envelope.uid

    def ends(self, outcome: Outcome, *, queue: str = "default") -> None:
        """Let a worker take all that waits in a queue, and end it so."""

        async def work(backend: TaskBackend) -> None:
            claims = await _claim(backend, queue)
            settlements = [Settlement(claim=claim, outcome=outcome) for claim in claims]
            await backend.settle("w1", settlements)

        self.do(work)

    def begin(self, *, queue: str = "default") -> list[Claim]:
        """Let a worker take all that waits in a queue."""
        return self.do(lambda backend: _claim(backend, queue))

    def job(self, uid: str) -> JobRecord:
        """A job as it stands."""

        async def find(backend: TaskBackend) -> JobRecord:
            (record,) = await backend.desk.find(JobQuery(uids=(uid,)))
            return record

        return self.do(find)

    def states(self) -> list[str]:
        """The states of all jobs, the oldest first."""

        async def find(backend: TaskBackend) -> list[str]:
            return [job.state.name for job in await backend.desk.find(JobQuery())][::-1]

        return self.do(find)

    def beat(self, worker_id: str = "w1", **options: Any) -> None:
        """Let a worker say something of itself."""

        async def beat(backend: TaskBackend) -> None:
            now = backend.clock.now()
            given: dict[str, Any] = {
                "host": "host-1",
                "pid": 42,
                "queues": ("default", "mail"),
                "concurrency": 20,
                "running": 3,
                "version": "1.2",
                "started_at": now - timedelta(hours=3),
            }
            await backend.beat(WorkerBeat(worker_id=worker_id, **{**given, **options}))

        self.do(beat)


async def _claim(backend: TaskBackend, queue: str) -> list[Claim]:
    request = ClaimRequest(worker_id="w1", queues=(queue,), limit=100, lease_s=60)
    return list((await backend.claim(request)).claims)


@pytest.fixture
def clock() -> Clock:
    """The clock of the jobs in memory."""
    return Clock()


@pytest.fixture
def folder(shop: ProjectFolder) -> ProjectFolder:
    """The files of a project that has two tasks."""
    shop.write({"shop/notes/tasks.py": TASKS})
    return shop


@pytest.fixture
def jobs(folder: ProjectFolder, clock: Clock, capsys: pytest.CaptureFixture[str]) -> Jobs:
    """The jobs of a project that keeps them in memory."""
    settings = 'INSTALLED_APPS = ["shop.notes"]\nTASKS = {"backend": "memory"}\n'
    folder.write({"shop/settings.py": settings})
    backend = MemoryBackend(clock)
    return Jobs(folder.load().overriding(resources={memory_jobs: backend}), capsys)


@pytest.fixture(params=["sqlite", "asyncpg", "psycopg", "arq"])
def jobs_kept(
    request: pytest.FixtureRequest, folder: ProjectFolder, capsys: pytest.CaptureFixture[str]
) -> Jobs:
    """The jobs of a project that keeps them in its database, or in Redis."""
    if request.param == "arq":
        settings = in_redis(
            request.getfixturevalue("redis_url"), request.getfixturevalue("sqlite_url")
        )
    elif request.param == "sqlite":
        settings = in_table(request.getfixturevalue("sqlite_url"))
    else:
        dsn = request.getfixturevalue("postgres_dsn")
        settings = in_table(with_driver(dsn, request.param))
    folder.write({"shop/settings.py": settings})
    project = folder.load()
    assert run(["migrate"], program="manage", project=project) == 0
    return Jobs(project, capsys)


def in_table(url: str) -> str:
    """The settings of a project that keeps its jobs in its database."""
    return f"""
        INSTALLED_APPS = ["fastforge.contrib.db", "fastforge.contrib.jobs", "shop.notes"]
        DATABASES = {{"default": {{"url": {url!r}, "connect_timeout_s": 1}}}}
        """


def in_redis(url: str, database_url: str) -> str:
    """The settings of a project that keeps its jobs in Redis."""
    return f"""
        _OURS = ["db", "jobs", "redis", "arq"]
        INSTALLED_APPS = [*(f"fastforge.contrib.{{name}}" for name in _OURS), "shop.notes"]
        DATABASES = {{"default": {{"url": {database_url!r}}}}}
        REDIS = {{"url": {url!r}}}
        TASKS = {{"backend": "arq"}}
        """
