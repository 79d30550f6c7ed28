"""`manage jobs` does the same on every backend, and says so when one is not there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from psycopg import sql

from fastforge.management.cli import run
from fastforge.tasks import Progress, TaskBackend
from tests.conftest import with_driver
from tests.folder import ProjectFolder
from tests.processes import free_port
from tests.terminal import in_terminal

from .conftest import DEAD, DONE, REMIND, Jobs, in_redis, in_table

if TYPE_CHECKING:
    import psycopg


def test_jobs_are_found_shown_and_changed(jobs_kept: Jobs) -> None:
    jobs = jobs_kept
    done = jobs.enqueue()
    jobs.ends(DONE)
    dead = jobs.enqueue(payload={"password": "s3cret"})
    jobs.ends(DEAD)
    waiting = jobs.enqueue(REMIND, queue="mail", delay_s=1000)

    assert [job["id"] for job in jobs.json("list")] == [waiting, dead, done]
    assert [job["id"] for job in jobs.json("list", "--task", "send", "--since", "1h")] == [
        dead,
        done,
    ]
    assert [job["id"] for job in jobs.json("list", waiting[:12], done)] == [waiting, done]
    rows = [line.split()[:4] for line in jobs("list", "--limit", "1").out.splitlines()[1:]]
    assert rows == [[waiting[:8], REMIND, "mail", "ready"]]
    (job,) = jobs.json("show", dead[:12])
    assert (job["payload"], job["state"]) == ({"password": "***"}, "dead")
    assert job["errors"][0]["type"] == "shop.bank.Refused"
    assert jobs("show", "no-such-id").code == 1

    assert jobs("retry", dead, done).out.splitlines()[0] == f"{dead[:8]} is retried"
    assert jobs("cancel", waiting[:12]).out == f"{waiting[:8]} is cancelled\n"
    assert jobs.json("discard", "--state", "cancelled", "--yes") == [
        {"action": "discard", "count": 1, "left": 0}
    ]
    assert {job["id"]: job["state"] for job in jobs.json("list")} == {dead: "ready", done: "done"}


def test_queues_running_jobs_and_workers(jobs_kept: Jobs) -> None:
    jobs = jobs_kept
    jobs.enqueue()
    (claim,) = jobs.begin()

    async def report(backend: TaskBackend) -> None:
        await backend.attend("w1", {claim: Progress(done=3, total=4, message="reading")})

    jobs.do(report)
    jobs.beat()
    assert jobs("pause", "mail").out == "mail is paused\n"
    shown = {each["queue"]: each for each in jobs.json("stats")}
    assert (shown["default"]["running"], shown["mail"]["paused"]) == (1, True)
    *queues, job, worker = jobs.json("top")
    assert [queue["queue"] for queue in queues] == ["default", "mail"]
    assert job["progress"] == {"done": 3, "total": 4, "message": "reading"}
    assert (worker["host"], worker["alive"]) == ("host-1", True)
    assert jobs("resume", "mail").out == "mail is resumed\n"
    assert jobs("workers", "--fail-if-none").code == 0


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_top_waits_for_a_database_that_goes_away(
    driver: str, folder: ProjectFolder, postgres_dsn: str, postgres_admin: psycopg.Connection
) -> None:
    folder.write({"shop/settings.py": in_table(with_driver(postgres_dsn, driver))})
    assert run(["migrate"], program="manage", project=folder.load()) == 0
    argv = [sys.executable, "-m", "fastforge", "jobs", "top"]
    name = sql.Identifier(urlsplit(postgres_dsn).path[1:])
    with in_terminal(argv, cwd=folder.path, env={"FASTFORGE_ENV": "test"}) as top:
        top.wait_for("r resume it")
        postgres_admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        postgres_admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [urlsplit(postgres_dsn).path[1:]],
        )
        top.wait_for("out of reach, this is of ")
        postgres_admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
        top.wait_for("r resume it")
        top.type("q")
        assert top.wait() == 0


COMMANDS = (
    ("list",),
    ("show", "0a1b"),
    ("retry", "--all", "--yes"),
    ("pause", "mail"),
    ("stats",),
    ("workers",),
    ("top",),
)


def refused(folder: ProjectFolder, capsys: pytest.CaptureFixture[str]) -> set[str]:
    """What every command says, each with the exit code 3 and in one line."""
    jobs = Jobs(folder.load(), capsys)
    said = set()
    for command in COMMANDS:
        result = jobs(*command)
        assert (result.code, result.out) == (3, ""), (command, result.err)
        assert result.err.count("\n") == 1, result.err
        said.add(result.err)
    return said


def test_before_the_first_migrate_the_cure_is_told(
    folder: ProjectFolder, each_database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.write({"shop/settings.py": in_table(each_database_url)})
    for line in refused(folder, capsys):
        assert "migrate" in line


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_a_database_that_is_away_is_one_line(
    driver: str, folder: ProjectFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"postgresql+{driver}://someone:s3cret@127.0.0.1:{free_port()}/shop"
    folder.write({"shop/settings.py": in_table(url)})
    for line in refused(folder, capsys):
        assert "127.0.0.1" in line
        assert "s3cret" not in line


def test_redis_that_is_away_is_one_line(
    folder: ProjectFolder, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.write({"shop/settings.py": in_redis(f"redis://127.0.0.1:{free_port()}", sqlite_url)})
    for line in refused(folder, capsys):
        assert "Redis" in line


def test_a_backend_that_nobody_installed_is_a_mistake_in_the_settings(
    folder: ProjectFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.write({"shop/settings.py": 'INSTALLED_APPS = ["shop.notes"]\n'})
    result = Jobs(folder.load(), capsys)("list")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: [tasks.E009]")
