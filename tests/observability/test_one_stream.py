"""Every line of every kind of process is JSON, whoever says it, from the first to the last one."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.commanding import python
from tests.folder import ProjectFolder, isolated
from tests.processes import Process, fetch, free_port, run, start, wait_until

REQUIRED = ("timestamp", "level", "event", "logger", "pid")
PRODUCTION = {"FASTFORGE_ENV": "production", "FASTFORGE_LOG_FORMAT": ""}
MANAGE = [sys.executable, "-m", "fastforge"]

SPEAKING = """
    import asyncio, gc, logging, sys, threading, traceback, warnings

    import structlog
    from sqlalchemy import create_engine, text

    log = structlog.get_logger()

    async def fail():
        raise OSError("nobody awaits me")

    class Closing:
        def __del__(self):
            raise KeyError("closing")

    async def speak():
        log.info("structlog speaks")
        for name in ("shop", "uvicorn.error", "gunicorn.error", "arq.worker"):
            logging.getLogger(name).warning("%s speaks", name)
        with create_engine("sqlite://", echo=True).connect() as connection:
            connection.execute(text("SELECT 'sqlalchemy speaks'"))
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("warnings speak", stacklevel=1)
        thread = threading.Thread(target=lambda: 1 / 0, name="a thread speaks")
        thread.start()
        thread.join()
        task = asyncio.create_task(fail(), name="asyncio speaks")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task
        closing = Closing()
        del closing
        gc.collect()
        print("print speaks")
        try:
            raise ValueError("a traceback speaks")
        except ValueError:
            traceback.print_exc()
        sys.stderr.write("standard error speaks\\n")
    """

FILES = {
    "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
    "shop/settings.py": """
        from fastforge.contrib.db import Database

        INSTALLED_APPS = ["fastforge.contrib.db", "fastforge.contrib.jobs", "shop.orders"]
        SECRET_KEY = "only for these tests, and long enough for them"
        print("settings speak")
        SERVER = {"start_deadline_s": 0, "drain_s": 0, "linger_s": 0}
        """,
    "shop/asgi.py": """
        from fastforge.asgi import get_asgi_application

        app = get_asgi_application()
        """,
    "shop/speaking.py": SPEAKING,
    "shop/orders/routes.py": """
        import os, signal

        from fastapi import APIRouter

        from shop.speaking import speak

        router = APIRouter()

        @router.get("/speak")
        async def speaking() -> str:
            await speak()
            return "spoken"

        @router.get("/leave")
        async def leaving() -> None:
            os.kill(os.getpid(), signal.SIGTERM)

        @router.get("/fail")
        async def failing() -> None:
            raise ValueError("a handler speaks")
        """,
    "shop/orders/tasks.py": """
        from fastforge import task

        from shop.speaking import speak

        @task
        async def speaking() -> None:
            await speak()

        @task(isolate=True)
        async def apart() -> None:
            await speak()
        """,
    "shop/orders/commands/order.py": '''
        """Enqueue one of each."""

        from fastforge.commands import command
        from shop.orders.tasks import apart, speaking

        @command
        async def order() -> None:
            """Enqueue one of each."""
            await speaking.enqueue()
            await apart.enqueue()
        ''',
    "shop/draining.py": """
        from shop.settings import *
        SERVER = {"start_deadline_s": 0, "drain_s": 0.1, "linger_s": 0}
        """,
    # What is wrong before anything is configured.
    "shop/misspelt.py": "from shop.settings import *\nSECRET_KEI = 'x'\nDEBUGG = 1\n",
    "shop/broken.py": "from shop.settings import *\n1 / 0\n",
    "shop/crashing.py": "from shop.settings import *\nINSTALLED_APPS = ['shop.crash']\n",
    "shop/crash/routes.py": "raise RuntimeError('postgresql://a:sesame@b/c')\n",
    "shop/unready.py": "from shop.settings import *\nINSTALLED_APPS = ['shop.locked']\n",
    "shop/locked/resources.py": """
        from fastforge import resource

        @resource
        async def door():
            raise OSError("it is locked")
            yield
        """,
}

SPOKEN = {
    "structlog speaks",
    "shop speaks",
    "uvicorn.error speaks",
    "gunicorn.error speaks",
    "arq.worker speaks",
    "SELECT 'sqlalchemy speaks'",
    "warnings speak",
    "a thread ends: ZeroDivisionError",
    "Task exception was never retrieved",
    "an exception was ignored: KeyError",
    "print speaks",
    "ValueError: a traceback speaks",
    "standard error speaks",
}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(FILES)
        yield folder


def parsed(output: str) -> list[dict[str, Any]]:
    """The lines, every one of which has what every line has."""
    lines = [json.loads(line) for line in output.splitlines()]
    for line in lines:
        assert tuple(line)[:5] == REQUIRED, line
        assert line["role"] in {"web", "worker", "manager", "command"}
    return lines


def events(lines: list[dict[str, Any]], **of: Any) -> set[str]:
    return {line["event"] for line in lines if of.items() <= line.items()}


def stopped(server: Process) -> list[dict[str, Any]]:
    server.terminate()
    server.wait()
    return parsed(server.output)


def serve(shop: ProjectFolder, argv: list[str], port: int) -> tuple[Process, str]:
    return start(argv, cwd=shop.path, env=PRODUCTION), f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("workers", [1, 2])
def test_our_server_says_nothing_else(shop: ProjectFolder, workers: int) -> None:
    port = free_port()
    argv = [*MANAGE, "runserver", str(port), "--production", "--workers", str(workers)]
    process, url = serve(shop, argv, port)
    with process as server:
        wait_until(lambda: fetch(f"{url}/speak"), describe=server)
        fetch(f"{url}/fail")
        server.wait_for("Ctrl-C stops")
        lines = stopped(server)
    assert events(lines, role="web") >= SPOKEN
    assert [line["exception"]["message"] for line in lines if line["event"] == "request"
            and line["status_code"] == 500] == ["a handler speaks"]  # fmt: skip
    assert "uvicorn.error speaks" in events(lines, logger="uvicorn.error")
    assert "settings speak" in events(lines, logger="stdout")
    assert ("manager" in {line["role"] for line in lines}) is (workers == 2)
    assert len([line for line in lines if "sqlalchemy speaks" in line["event"]]) == 1


STOCK = {
    "uvicorn": ["-m", "uvicorn", "shop.asgi:app", "--port"],
    "granian": ["-m", "granian", "--interface", "asgi", "shop.asgi:app", "--port"],
    "gunicorn": ["-m", "gunicorn", "-k", "fastforge.server.Worker", "shop.asgi:app", "-b"],
}


@pytest.mark.parametrize("name", STOCK)
def test_under_another_server_the_lines_are_ours_from_the_lifespan_on(
    shop: ProjectFolder, name: str
) -> None:
    port = free_port()
    process, url = serve(
        shop, [sys.executable, *STOCK[name], f":{port}"[name != "gunicorn" :]], port
    )
    with process as server:
        wait_until(lambda: fetch(f"{url}/speak"), describe=server)
        server.wait_for("standard error speaks")
        server.wait_for('"event":"request"')
        lines = server.output.splitlines()
        began = next(number for number, line in enumerate(lines) if "structlog speaks" in line)
        told = parsed("\n".join(lines[began:]))
        server.terminate()
        server.wait()
    assert events(told, role="web") >= SPOKEN
    assert "uvicorn.error speaks" in events(told, logger="uvicorn.error")
    assert len([line for line in told if line["event"] == "request"]) == 1


def test_gunicorn_says_nothing_else_with_our_logger(shop: ProjectFolder) -> None:
    port = free_port()
    argv = [sys.executable, *STOCK["gunicorn"], f":{port}"]
    argv += ["--logger-class", "fastforge.server.Logger", "--log-level", "info", "-w", "2"]
    process, url = serve(shop, argv, port)
    with process as server:
        wait_until(lambda: fetch(f"{url}/speak"), describe=server)
        lines = stopped(server)
    assert events(lines, role="web") >= SPOKEN
    assert any("Starting gunicorn" in event for event in events(lines, role="manager"))


ARQ = """
    from shop.settings import *
    INSTALLED_APPS = [*INSTALLED_APPS, "fastforge.contrib.redis", "fastforge.contrib.arq"]
    REDIS = {{"url": "{url}"}}
    TASKS = {{"backend": "arq"}}
    """


@pytest.mark.parametrize(
    ("processes", "backend"),
    [pytest.param(1, "database", marks=pytest.mark.long), (2, "database"), (1, "arq")],
)
def test_a_worker_says_nothing_else(
    shop: ProjectFolder, processes: int, backend: str, redis_url: str
) -> None:
    shop.write({"shop/on_arq.py": ARQ.format(url=redis_url)})
    manage = [*MANAGE, *(["--settings", "shop.on_arq"] if backend == "arq" else [])]
    for command in ("migrate", "order"):
        done = python([*manage[1:], command], cwd=shop.path, env=PRODUCTION)
        assert done.returncode == 0, done.stderr
    argv = [*manage, "runworker", "--processes", str(processes)]
    with start(argv, cwd=shop.path, env=PRODUCTION) as worker:
        wait_until(lambda: worker.output.count("standard error speaks") == 2, describe=worker)
        worker.wait_for("takes jobs")
        if processes > 1:  # one is killed, and started again
            taking = [each for each in parsed(worker.output) if "takes jobs" in each["event"]]
            os.kill(taking[0]["pid"], signal.SIGKILL)
            worker.wait_for("starting again")
        lines = stopped(worker)
    assert events(lines, role="worker") >= SPOKEN
    jobs = {line["task"] for line in lines if line["event"] == "shop speaks"}
    assert jobs == {"shop.orders.tasks.speaking", "shop.orders.tasks.apart"}
    assert ("manager" in {line["role"] for line in lines}) is (processes == 2)


def long(*case: Any) -> Any:
    """A case of a kind that `make test` has already: what starts, or how, is another one."""
    return pytest.param(*case, marks=pytest.mark.long)


@pytest.mark.parametrize(
    ("argv", "codes"),
    [
        (["--settings", "shop.misspelt", "runserver", "--production"], {"conf.E017"}),
        long(["--settings", "shop.broken", "runserver"], {"conf.E003"}),
        (["--settings", "shop.broken", "runworker"], {"conf.E003"}),
        long(["--settings", "shop.crashing", "runserver", "--workers", "1"], {"components.E003"}),
        (["--settings", "shop.crashing", "runserver", "--workers", "2"], {"components.E003"}),
        (["--settings", "shop.crashing", "runworker", "--processes", "2"], {"components.E003"}),
        long(["--settings", "shop.unready", "runserver", "--workers", "1"], {"lifecycle.E004"}),
        (["--settings", "shop.unready", "runserver", "--workers", "2"], {"lifecycle.E004"}),
        (["--settings", "shop.unready", "runworker"], {"lifecycle.E004"}),
        long(["runserver", "--workers", "none"], {"management.E004"}),
        (["runserver", "--wrokers", "1"], {"management.E002"}),
        (["runworker", "--processes", "0"], {"management.E013"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_start_says_so_in_lines(
    shop: ProjectFolder, argv: list[str], codes: set[str]
) -> None:
    if argv[2:3] == ["runserver"]:
        argv = [*argv[:3], str(free_port()), *argv[3:]]
    result = python([*MANAGE[1:], *argv], cwd=shop.path, env=PRODUCTION)
    lines = parsed(result.stdout + result.stderr)
    assert result.returncode in (2, 3)
    assert {line["code"] for line in lines if "code" in line} == codes
    assert "sesame" not in result.stdout + result.stderr
    assert {line["level"] for line in lines if line["logger"] != "stdout"} == {"error"}


def test_a_crash_before_anything_is_configured_is_a_line(shop: ProjectFolder) -> None:
    shop.write({"shop/asgi.py": "import nothing_at_all\n"})
    argv = [*MANAGE, "runserver", str(free_port()), "--production", "--workers", "1"]
    result = run(argv, cwd=shop.path, env=PRODUCTION)
    (line,) = parsed(result.stderr)
    assert (result.returncode, line["code"], line["where"]) == (3, "server.E004", "shop/asgi.py:1")


def test_in_development_it_is_the_text_that_a_person_reads(shop: ProjectFolder) -> None:
    argv = [*MANAGE, "--settings", "shop.misspelt", "runserver", str(free_port()), "--production"]
    result = run(argv, cwd=shop.path, env={**PRODUCTION, "FASTFORGE_ENV": "development"})
    assert result.stderr.startswith("error: [conf.")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_without_outputs_serves(shop: ProjectFolder, workers: str) -> None:
    """A manager of services may close both; Python then has no streams for them."""
    port = free_port()
    argv = [*MANAGE, "runserver", str(port), "--production", "--workers", workers]
    process, url = serve(shop, ["sh", "-c", 'exec "$@" >&- 2>&-', "sh", *argv], port)
    with process as server:
        answer = wait_until(lambda: fetch(f"{url}/fail"), describe=server)
        server.terminate()
        assert server.wait() == 0
    assert answer.status == 500


def test_a_signal_is_none_of_the_doings_of_the_request_that_it_interrupts(
    shop: ProjectFolder,
) -> None:
    port = free_port()
    argv = [*MANAGE, "--settings", "shop.draining", "runserver", str(port), "--production"]
    process, url = serve(shop, [*argv, "--workers", "1"], port)
    with process as server:
        wait_until(lambda: fetch(f"{url}/leave"), describe=server)
        server.wait()
        (line,) = [each for each in parsed(server.output) if each["event"].startswith("stopping:")]
    assert "request_id" not in line
