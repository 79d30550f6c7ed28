"""A server and a worker as processes: one tree over both, and each process for itself."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fastforge.contrib.telemetry.outbox import Outbox
from fastforge.contrib.telemetry.sending import NotTaken, Sender
from fastforge.contrib.telemetry.state import ExportState
from tests.commanding import python, start
from tests.folder import ProjectFolder
from tests.processes import Process, fetch, free_port, wait_until

from .collector import Collector, Received, collecting

SETTINGS = """
    from fastforge.contrib.db import Database
    from fastforge.contrib.http import Http
    from fastforge.contrib.redis import Redis
    from fastforge.contrib.telemetry import Telemetry
    from fastforge.core.settings import Server
    from fastforge.tasks import Tasks

    SECRET_KEY = "only-for-these-tests-0123456789abcdef0123456789abcdef"
    ALLOWED_HOSTS = ["127.0.0.1"]
    INSTALLED_APPS = [
        "fastforge.contrib.db", "fastforge.contrib.jobs", "fastforge.contrib.http",
        "fastforge.contrib.redis", "fastforge.contrib.telemetry", "shop",
    ]
    DATABASES = {{"default": Database(url={database!r}, pool_size=1)}}
    REDIS = Redis(url={redis!r})
    SERVER = Server(drain_s=0, linger_s=0)
    TASKS = Tasks(max_attempts=3)
    TELEMETRY = Telemetry(
        endpoint={endpoint!r}, export_interval_s=0.05, sample_ratio=1, {options}
    )
"""
ROUTES = """
    import logging
    import os

    from fastapi import APIRouter
    from sqlalchemy import text

    from fastforge.contrib.db import DbSession
    from fastforge.contrib.http import HttpClient
    from fastforge.contrib.redis import RedisClient
    from shop.tasks import heavy, receipt

    router = APIRouter()

    @router.post("/orders")
    async def order(url: str, db: DbSession, http: HttpClient, redis: RedisClient) -> str:
        await db.execute(text("SELECT 'hunter2', 4711"))
        await redis.set("secret of hunter2", "hunter2")
        async with redis.pipeline() as pipe:
            await pipe.incr("hits").get("hits").execute()
        await http.get(f"{url}/inner?token=hunter2")
        return (await receipt.enqueue(order_id=7)).uid

    @router.post("/heavy")
    async def weigh() -> str:
        return (await heavy.enqueue()).uid

    @router.get("/inner")
    async def inner() -> None:
        logging.getLogger("shop").warning("inside")

    @router.get("/pid")
    async def pid() -> int:
        return os.getpid()
"""
TASKS = """
    from sqlalchemy import text

    from fastforge import task
    from fastforge.contrib.db import DbSession
    from fastforge.tasks import Retry, injected

    @task(retry=Retry(max_attempts=3, base_s=0.01))
    async def receipt(order_id: int, *, db: DbSession = injected) -> None:
        await db.scalar(text("SELECT 1"))
        from fastforge.observability.context import running_job
        if running_job.get().attempt < 3:
            raise LookupError("password=hunter2")

    @task(isolate=True)
    async def heavy(*, db: DbSession = injected) -> None:
        await db.scalar(text("SELECT 1"))
"""


def write(
    folder: ProjectFolder, *, database: str, redis: str, endpoint: str, options: str = ""
) -> None:
    folder.write(
        {
            "shop/settings.py": SETTINGS.format(
                database=database, redis=redis, endpoint=endpoint, options=options
            ),
            "shop/routes.py": ROUTES,
            "shop/tasks.py": TASKS,
            "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
        }
    )


def manage(*argv: str) -> list[str]:
    return ["-m", "fastforge", *argv]


ENV = {"FASTFORGE_ENV": "production", "FASTFORGE_LOG_FORMAT": "json"}


@contextmanager
def serving(folder: ProjectFolder, *options: str) -> Iterator[tuple[Process, str]]:
    port = free_port()
    argv = manage("runserver", f"127.0.0.1:{port}", "--no-worker", *options)
    with start([sys.executable, *argv], cwd=folder.path, env=ENV) as server:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: fetch(f"{url}/pid") is not None or not server.alive, describe=server)
        assert server.alive, server
        yield server, url


@pytest.fixture(params=[pytest.param("sqlite", marks=pytest.mark.long), "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


def test_one_tree_over_a_server_and_a_worker(
    folder: ProjectFolder, collector: Collector, database: str, redis_url: str
) -> None:
    write(folder, database=database, redis=redis_url, endpoint=collector.url)
    migrated = python(manage("migrate"), cwd=folder.path, env=ENV)
    assert migrated.returncode == 0, migrated.stderr
    with serving(folder, "--workers", "1") as (server, url):
        answer = fetch(f"{url}/orders?url={url}", method="POST")
        assert answer is not None
        assert answer.status == 200, server.output
        server.terminate()
        assert server.wait() == 0
        lines = server.output.splitlines()
    order, inner = collector.one("POST /orders"), collector.one("GET /inner")
    children = collector.children(order)
    uid = json.loads(answer.body)
    assert order.parent == ""
    assert order.attributes["request_id"] == answer.headers["x-request-id"]
    for name in ("SELECT", "SET", "MULTI", "GET", "enqueue shop.tasks.receipt", "COMMIT"):
        assert name in children, children
    call = collector.one("GET")
    assert (call.kind, call.attributes["http.response.status_code"]) == ("client", 200)
    assert call.attributes["url.full"] == f"{url}/inner?token=***"
    assert (inner.trace_id, inner.parent) == (order.trace_id, call.span_id)
    (statement,) = [s for s in collector.spans if s.name == "SELECT" and s.parent == order.span_id]
    assert statement.attributes["db.query.text"].startswith("SELECT '...', ?")
    assert statement.attributes["db.system.name"] == (
        "sqlite" if database.startswith("sqlite") else "postgresql"
    )
    assert collector.one("SET").attributes["db.operation.name"] == "SET"
    assert collector.one("MULTI").attributes["db.operation.batch.size"] == 2
    (line,) = [json.loads(line) for line in lines if '"route":"/inner"' in line]
    assert (line["trace_id"], line["span_id"]) == (order.trace_id, inner.span_id)

    def attempts() -> list[Received]:
        found = [span for span in collector.spans if span.name == "run shop.tasks.receipt"]
        return sorted(found, key=lambda span: span.attributes["fastforge.attempt"])

    def worked() -> bool:
        done = python(manage("runworker", "--burst"), cwd=folder.path, env=ENV)
        assert done.returncode == 0, done.stderr
        return len(attempts()) == 3

    wait_until(worked)
    runs = attempts()
    outcomes = [span.attributes["fastforge.outcome"] for span in runs]
    assert outcomes == ["retry", "retry", "succeeded"]
    enqueued = collector.one("enqueue shop.tasks.receipt")
    first, *later = runs
    assert enqueued.attributes["messaging.message.id"] == uid
    assert first.attributes["messaging.message.id"] == uid
    assert (first.kind, enqueued.kind) == ("consumer", "producer")
    assert (first.trace_id, first.parent) == (order.trace_id, enqueued.span_id)
    assert first.failed
    assert [name for name, _ in first.events] == ["exception"]
    for span in later:
        assert span.parent == ""
        assert span.links == [(order.trace_id, enqueued.span_id)]
    assert len({span.trace_id for span in runs}) == 3
    assert all("SELECT" in collector.children(span) for span in runs)
    assert {span.resource["process.pid"] for span in runs} != {order.resource["process.pid"]}
    assert b"hunter2" not in b"".join(collector.bodies)


def test_each_process_of_a_server_sends_its_own(
    folder: ProjectFolder, collector: Collector, sqlite_url: str, redis_url: str
) -> None:
    write(folder, database=sqlite_url, redis=redis_url, endpoint=collector.url)
    with serving(folder, "--workers", "2") as (server, url):
        pids: set[str] = set()

        def both() -> bool:
            got = fetch(f"{url}/pid")
            pids.update({got.body} if got is not None else ())
            return len(pids) == 2

        wait_until(both, describe=server)
        server.terminate()
        assert server.wait() == 0
    by_process = {
        (span.resource["process.pid"], span.resource["service.instance.id"])
        for span in collector.spans
    }
    assert {pid for pid, _ in by_process} == pids
    assert len({instance for _, instance in by_process}) == 2


def test_an_isolated_job_goes_on_in_its_process(
    folder: ProjectFolder, collector: Collector, sqlite_url: str, redis_url: str
) -> None:
    write(folder, database=sqlite_url, redis=redis_url, endpoint=collector.url)
    migrated = python(manage("migrate"), cwd=folder.path, env=ENV)
    assert migrated.returncode == 0, migrated.stderr
    with serving(folder, "--workers", "1") as (server, url):
        answer = fetch(f"{url}/heavy", method="POST")
        assert answer is not None
        assert answer.status == 200, server.output
        server.terminate()
        assert server.wait() == 0
    done = python(manage("runworker", "--burst"), cwd=folder.path, env=ENV)
    assert done.returncode == 0, done.stderr
    collector.wait_for("run shop.tasks.heavy", "run shop.tasks.heavy in a process")
    outer, inner = (
        collector.one(name)
        for name in ("run shop.tasks.heavy", "run shop.tasks.heavy in a process")
    )
    assert (outer.kind, inner.kind) == ("consumer", "internal")
    assert (inner.trace_id, inner.parent) == (outer.trace_id, outer.span_id)
    assert "SELECT" in collector.children(inner)
    assert inner.resource["process.pid"] != outer.resource["process.pid"]
    assert outer.trace_id == collector.one("POST /heavy").trace_id


# --- a collector that is not well ----------------------------------------------------------------

COLLECTOR = "the collector at "


def lines_of(server: Process) -> list[str]:
    """Return what was said of the collector, and see that nobody else says anything of it."""
    output = server.output
    assert "Traceback" not in output
    assert not re.search("opentelemetry|urllib3|Transient error", output)
    return [line for line in output.splitlines() if COLLECTOR in line]


def stopped_in_time(server: Process, *, limit_s: float = 15) -> None:
    began = time.monotonic()
    server.terminate()
    assert server.wait() == 0, server.output
    assert time.monotonic() - began < limit_s


@pytest.mark.parametrize("how", ["refused", "failing", "silent"])
def test_a_collector_that_is_not_well_costs_one_line(
    folder: ProjectFolder, sqlite_url: str, redis_url: str, how: str
) -> None:
    """Requests go on, and neither start nor end waits; then what was kept is sent."""
    port = free_port()

    def prepare(collector: Collector) -> None:
        if how == "failing":
            collector.status = 500
        elif how == "silent":
            collector.wait_before_answer = threading.Event()

    write(
        folder,
        database=sqlite_url,
        redis=redis_url,
        endpoint=f"http://127.0.0.1:{port}",
        options="export_timeout_s=0.3, flush_timeout_s=1, metrics=False",
    )
    with serving(folder, "--workers", "1") as (server, url):
        with unwell(how, port, prepare):
            wait_until(lambda: len(lines_of(server)) == 1, describe=server)
            for _ in range(50):
                answer = fetch(f"{url}/pid")
                assert answer is not None
                assert answer.status == 200
        with collecting(port) as collector:
            kept = collector.wait_for("GET /pid", count=51)
            assert {span.name for span in kept} == {"GET /pid"}
            stopped_in_time(server)
        assert len([line for line in lines_of(server) if "does not take spans" in line]) == 1


@contextmanager
def unwell(how: str, port: int, prepare: object) -> Iterator[None]:
    if how == "refused":
        yield
        return
    with collecting(port, prepare=prepare):  # type: ignore[arg-type]
        yield


def test_the_end_of_a_process_waits_for_no_collector(
    folder: ProjectFolder, sqlite_url: str, redis_url: str
) -> None:
    def silent(collector: Collector) -> None:
        collector.wait_before_answer = threading.Event()

    with collecting(prepare=silent) as collector:
        write(
            folder,
            database=sqlite_url,
            redis=redis_url,
            endpoint=collector.url,
            options="export_timeout_s=60, flush_timeout_s=0.5",
        )
        with serving(folder, "--workers", "1") as (server, _):
            wait_until(lambda: collector.asked > 0, describe=server)
            stopped_in_time(server)
            (line,) = [line for line in lines_of(server) if "spans" in line]
            assert "were not sent before the end" in line
            assert "metric source" not in server.output


def test_each_change_is_one_line_and_the_second_says_what_is_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "fastforge.contrib.telemetry")
    state = ExportState("spans", "http://collector")
    for _ in range(3):
        state.failed(NotTaken("it answers 500", may_pass=True))
        state.lost += 2
    assert state.is_failing
    state.succeeded()
    state.succeeded()
    assert not state.is_failing
    first, second = [record.getMessage() for record in caplog.records]
    assert first == (
        "the collector at http://collector does not take spans: it answers 500; the latest are"
        " kept for it, and requests go on"
    )
    assert second.endswith("; 6 were lost")
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def test_a_full_queue_loses_the_oldest_and_counts_them() -> None:
    sender = Sender("http://127.0.0.1:9/", headers={}, compression="none", certificates={})
    state = ExportState("spans", sender.target)
    outbox = Outbox[int](sender, state, bytes, size=4, batch_size=2, interval_s=1, timeout_s=1)
    for number in range(6):
        outbox.put(number)
    assert list(outbox._waiting) == [2, 3, 4, 5]
    assert state.lost == 2
    outbox._waiting.clear()
    outbox.put(9)
    outbox._keep([5, 6, 7, 8])
    assert list(outbox._waiting) == [6, 7, 8, 9]
    assert state.lost == 3
