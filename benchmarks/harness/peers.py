"""Peers: fastforge on each of its servers, and the queues it is compared with."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import psycopg
import redis

from .environments import python_with
from .projects import write_project
from .queues import Peer

__all__ = ["fastforge_on", "others_on"]

FILES = {
    "bench/settings.py": """
        import os

        from fastforge.contrib.db import Database
        from fastforge.contrib.redis import Redis
        from fastforge.tasks import Tasks

        INSTALLED_APPS = [
            "fastforge.contrib.db",
            "fastforge.contrib.jobs",
            "fastforge.contrib.redis",
            "fastforge.contrib.arq",
            "bench.work",
        ]
        DATABASES = {"default": Database(url=os.environ["BENCH_DATABASE_URL"])}
        REDIS = Redis(url=os.environ["BENCH_REDIS_URL"])
        TASKS = Tasks(
            backend=os.environ["BENCH_BACKEND"],
            concurrency=int(os.environ.get("BENCH_SLOTS", "100")),
        )
        """,
    "bench/work/__init__.py": "",
    "bench/work/tasks.py": """
        import sys

        from fastforge import task

        sys.path.insert(0, QUEUES)
        from marks import STARTED, mark


        @task(name="empty")
        async def empty(number: int) -> None:
            mark(STARTED, number)
        """,
}
QUEUES: Final = Path(__file__).resolve().parents[1] / "baselines" / "queues"
MANAGE: Final = Path(sys.executable).with_name("manage")
TASKIQ: Final = ("taskiq==0.13.0", "taskiq-redis==1.2.4", "uvloop", "hiredis")


def fastforge_on(folder: Path, servers: Mapping[str, str]) -> dict[str, Peer]:
    """Return fastforge on each server, as a project in a folder, migrated."""
    files = {path: text.replace("QUEUES", repr(str(QUEUES))) for path, text in FILES.items()}
    write_project(folder, files)
    sqlite = folder / "jobs.sqlite3"
    postgres = servers["postgres"]
    urls = {
        "redis": ("arq", f"sqlite+aiosqlite:///{folder}/beside.sqlite3"),
        "sqlite": ("database", f"sqlite+aiosqlite:///{sqlite}"),
        "postgres": ("database", postgres.replace("postgresql:", "postgresql+asyncpg:")),
    }
    empty: dict[str, Callable[[], None]] = {
        "redis": lambda: _flush(servers["redis"]),
        "sqlite": lambda: _delete(sqlite3.connect(sqlite)),
        "postgres": lambda: _delete(psycopg.connect(postgres)),
    }
    peers = {}
    for server, (backend, url) in urls.items():
        env = {
            "BENCH_BACKEND": backend,
            "BENCH_DATABASE_URL": url,
            "BENCH_REDIS_URL": servers["redis"],
            "FASTFORGE_SETTINGS_MODULE": "bench.settings",
            "FASTFORGE_ENV": "production",
            "PYTHONPATH": os.pathsep.join([str(folder), *sys.path]),
        }
        peers[server] = Peer(
            name="fastforge",
            worker=(str(MANAGE), "runworker"),
            producer=(sys.executable, str(QUEUES / "fastforge_peer.py")),
            folder=folder,
            env=env,
            empty=empty[server],
        )
        services_env = {**os.environ, **env}
        _run_to_end([str(MANAGE), "migrate"], folder, services_env)
    return peers


def others_on(url: str) -> dict[str, Peer]:
    """Return arq and taskiq."""
    env = {"BENCH_REDIS_URL": url}
    arq = str(QUEUES / "arq_peer.py")
    taskiq = python_with(*TASKIQ)
    worker = (str(taskiq.with_name("taskiq")), "worker", "taskiq_peer:broker", "--workers", "1")
    return {
        "arq": Peer(
            name="arq",
            worker=(sys.executable, arq, "worker"),
            producer=(sys.executable, arq),
            folder=QUEUES,
            env=env,
            empty=lambda: _flush(url),
        ),
        "taskiq": Peer(
            name="taskiq",
            worker=(*worker, "--log-level", "WARNING"),
            producer=(str(taskiq), "taskiq_peer.py"),
            folder=QUEUES,
            env=env,
            empty=lambda: _flush(url),
        ),
    }


def _flush(url: str) -> None:
    client = redis.Redis.from_url(url)
    client.flushall()
    client.close()


def _delete(connection: sqlite3.Connection | psycopg.Connection[tuple[object, ...]]) -> None:
    for table in ("jobs_job", "jobs_batch"):
        connection.execute(f"DELETE FROM {table}")
    connection.commit()
    connection.close()


def _run_to_end(command: list[str], folder: Path, env: Mapping[str, str]) -> None:
    subprocess.run(command, cwd=folder, env=dict(env), check=True, stdout=subprocess.DEVNULL)
