"""The tests' own servers and processes: they answer, are separate for each test, and always end."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import psycopg
import pytest
import redis

from . import processes, services
from .conftest import with_database, with_driver


def test_each_test_gets_an_empty_postgresql_database(postgres_dsn: str) -> None:
    with psycopg.connect(postgres_dsn) as connection:
        rows = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        )
        assert rows.fetchall() == []
        connection.execute("CREATE TABLE left_behind (id int)")


def test_a_table_of_another_test_is_not_seen(postgres_dsn: str) -> None:
    test_each_test_gets_an_empty_postgresql_database(postgres_dsn)


async def test_both_drivers_reach_the_same_database(
    postgres_url: str, postgres_psycopg_url: str
) -> None:
    connection = await asyncpg.connect(with_driver(postgres_url, ""))
    try:
        await connection.execute("CREATE TABLE shared (id int)")
    finally:
        await connection.close()
    with psycopg.connect(with_driver(postgres_psycopg_url, "")) as other:
        assert other.execute("SELECT count(*) FROM shared").fetchone() == (0,)


def test_a_wrong_password_is_refused(postgres_dsn: str) -> None:
    """So that a test of a wrong password tests something."""
    user, rest = postgres_dsn.rsplit(":", 2)[0], postgres_dsn.split("@")[1]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(f"{user}:wrong@{rest}")


def test_each_test_gets_an_empty_redis(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left", "behind")


def test_a_key_of_another_test_is_not_seen(redis_url: str) -> None:
    test_each_test_gets_an_empty_redis(redis_url)


@pytest.mark.parametrize(
    ("url", "worker", "own"),
    [
        ("redis://127.0.0.1:6379", "gw0", "redis://127.0.0.1:6379/0"),
        ("redis://127.0.0.1:6379/9", "gw0", "redis://127.0.0.1:6379/9"),
        ("redis://:secret@127.0.0.1:6379/9", "gw2", "redis://:secret@127.0.0.1:6379/11"),
    ],
)
def test_parallel_workers_share_a_named_redis_without_meeting(
    url: str, worker: str, own: str
) -> None:
    assert with_database(url, of_worker=worker) == own


@pytest.mark.parametrize(
    "arguments", [("postgres",), ("redis",), ("pgbouncer", "postgresql://fastforge:x@127.0.0.1/x")]
)
def test_a_server_ends_when_the_run_that_asked_for_it_is_killed(arguments: tuple[str, ...]) -> None:
    program = (
        "import sys; from tests import services; "
        f"print('server', services.start(*{arguments!r}).pid, flush=True); sys.stdin.close(); "
        "import time; time.sleep(600)"
    )
    with processes.start([sys.executable, "-c", program], cwd=processes.ROOT) as run:
        pid = int(run.wait_for("\n").split()[1])
        assert processes.is_running(pid)
        run.kill()
        processes.wait_until(lambda: not processes.is_running(pid))


def test_a_server_that_is_not_installed_is_one_line_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(services, "POSTGRES_FOLDERS", ())
    monkeypatch.setattr(services, "SYSTEM_FOLDERS", "/nowhere")
    with pytest.raises(services.MissingServer, match=r"a real postgres server: \w+.* postgresql"):
        services.start("postgres")
    with pytest.raises(services.MissingServer, match=r"a real redis server: \w+.* redis"):
        services.start("redis")
    with pytest.raises(services.MissingServer, match=r"a real pgbouncer server: \w+.* pgbouncer"):
        services.start("pgbouncer")


@pytest.mark.parametrize("start", [services.start_postgres, services.start_redis])
def test_a_port_that_somebody_took_is_left_for_another(
    start: Callable[[Path], tuple[subprocess.Popen[bytes], str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between finding a free port and starting there is time for somebody else."""
    with services.temporary_folder() as first, services.temporary_folder() as second:
        server, url = services.start_redis(first)
        taken = urlsplit(url).port
        ports = iter([taken, services.free_port()])
        monkeypatch.setattr(services, "free_port", lambda: next(ports))
        try:
            other, other_url = start(second)
            services.stop(other)
        finally:
            services.stop(server)
    assert urlsplit(other_url).port not in (None, taken)


def test_leaving_the_block_ends_a_process_and_its_children() -> None:
    program = (
        "import subprocess, sys, time; "
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
        "print('child', child.pid, flush=True); time.sleep(600)"
    )
    with processes.start([sys.executable, "-c", program]) as parent:
        child = int(parent.wait_for("\n").split()[1])
    assert not parent.alive
    processes.wait_until(lambda: not processes.is_running(child))


def test_waiting_for_output_fails_at_once_when_the_process_has_ended() -> None:
    with (
        pytest.raises(AssertionError, match=r"ended before it wrote 'ready'"),
        processes.start([sys.executable, "-c", "raise SystemExit('no such luck')"]) as process,
    ):
        process.wait_for("ready")


def test_a_process_starts_in_a_clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTFORGE_SETTINGS_MODULE", "of.the.developer")
    program = "import os, fastforge; print(os.environ.get('FASTFORGE_SETTINGS_MODULE'))"
    result = processes.run([sys.executable, "-c", program], cwd=Path("/"))
    assert (result.returncode, result.stdout, result.stderr) == (0, "None\n", "")


def test_terminate_reports_the_signal_as_exit_code() -> None:
    program = "import time; print('up', flush=True); time.sleep(600)"
    with processes.start([sys.executable, "-c", program]) as process:
        process.wait_for("up")
        process.terminate()
        assert process.wait() == -signal.SIGTERM


def test_fetch_gives_none_until_somebody_listens(tmp_path: Path) -> None:
    port = processes.free_port()
    url = f"http://127.0.0.1:{port}/"
    assert processes.fetch(url) is None
    argv = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    with processes.start(argv, cwd=tmp_path) as server:
        answer = processes.wait_until(lambda: processes.fetch(url), describe=server)
        assert answer.status == 200
        missing = processes.fetch(f"{url}missing")
        assert missing is not None
        assert missing.status == 404


def test_a_server_is_kept_in_memory_only_where_there_is_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MEMORY", tmp_path)
    monkeypatch.setattr(services, "MEMORY_BYTES_PER_CORE", 1)
    assert services.memory() == tmp_path
    monkeypatch.setattr(services, "MEMORY_BYTES_PER_CORE", 2**60)
    assert services.memory() is None
    monkeypatch.setattr(services, "MEMORY", tmp_path / "absent")
    assert services.memory() is None
