"""The processes of a worker are read together too, on a port of their own."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commanding import start
from tests.contrib.jobs.shop import Shop as Jobs
from tests.folder import ProjectFolder, isolated
from tests.processes import Process, descendants, fetch, free_port, wait_until

from .conftest import Scraped

MORE = """
from fastforge.contrib.prometheus import Prometheus

SECRET_KEY = "only-for-these-tests-0123456789abcdef0123456789abcdef"
INSTALLED_APPS.append("fastforge.contrib.prometheus")
PROMETHEUS = Prometheus(worker_port={port}, directory="metrics")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        yield folder


async def test_the_jobs_of_all_processes_of_a_worker_are_told_together(
    folder: ProjectFolder, sqlite_url: str
) -> None:
    shop, port = Jobs(folder, sqlite_url, tasks=""), free_port()
    settings = folder.path / "shop/settings.py"
    settings.write_text(settings.read_text() + MORE.format(port=port))
    await shop.create_table()
    await enqueue(shop, 20)
    with started(folder) as worker:

        def scrape() -> Scraped:
            answer = wait_until(lambda: fetch(f"http://127.0.0.1:{port}/metrics"), describe=worker)
            return Scraped(answer.body)

        def ended() -> float:
            told = scrape()
            return "jobs_total" in told.text and told.by("jobs_total", "event")["job.finished"]

        wait_until(lambda: ended() == 20, describe=worker)
        wait_until(lambda: scrape()["processes"] == 2, describe=worker)
        wait_until(lambda: "queue_depth{" in scrape().text, describe=worker)
        told = scrape()
        assert {*told.by("queue_depth", "state")} == {
            "ready",
            "scheduled",
            "held",
            "running",
            "dead",
        }
        wait_until(lambda: scrape()["worker_places"] == 100, describe=worker)
        assert told["job_duration_seconds_count"] == 20
        os.kill(min(descendants(worker.pid)), signal.SIGKILL)
        wait_until(lambda: scrape()["processes"] == 2, describe=worker)
        assert ended() == 20
        await enqueue(shop, 5)
        wait_until(lambda: ended() == 25, describe=worker)
        assert "Started server process" not in worker.output
        worker.terminate()
        assert worker.wait() == 0


def started(folder: ProjectFolder) -> Process:
    argv = [sys.executable, "-m", "fastforge", "runworker", "--processes", "2"]
    return start(argv, cwd=folder.path, env={"FASTFORGE_ENV": "production"})


async def enqueue(shop: Jobs, count: int) -> None:
    async with shop.enqueueing() as tasks:
        for number in range(count):
            await tasks.work.enqueue(number=number)
