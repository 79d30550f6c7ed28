"""The worker inside the server: real servers, jobs that run in their process or in none."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import pytest

from fastforge import Role
from fastforge.contrib.db.migrations.project import migration_engines, project_history
from fastforge.contrib.db.migrations.runner import migrate as apply_migrations
from fastforge.core.services import EMBEDDED_WORKER, where_jobs_run
from tests.commanding import start
from tests.folder import ProjectFolder, isolated
from tests.processes import Process, fetch, free_port, wait_until

SETTINGS = """
    from fastforge.contrib.db import Database
    from fastforge.tasks import Tasks

    DATABASES = {"default": Database(url="sqlite+aiosqlite:///db.sqlite3")}
    INSTALLED_APPS = ["fastforge.contrib.db", "fastforge.contrib.jobs", "shop"]
    TASKS = Tasks(lease_s=1)
    """
MEMORY = """
    from fastforge.tasks import Tasks

    INSTALLED_APPS = ["shop"]
    TASKS = Tasks(backend="memory")
    """
SHOP = {
    "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
    "shop/asgi.py": """
        from fastforge import get_asgi_application

        app = get_asgi_application()
        """,
    "shop/tasks.py": """
        import asyncio, os, threading
        from pathlib import Path

        from fastforge import task
        from fastforge.observability import allow_blocking

        LOG = Path(__file__).parent.parent / "log"

        def note(text: str) -> None:
            with allow_blocking(), LOG.open("a") as file:
                file.write(f"{text} in {os.getpid()}\\n")

        @task(queue="mail")
        async def send(seconds: float) -> None:
            note("begin")
            try:
                await asyncio.sleep(seconds)
            except asyncio.CancelledError:
                note("cancelled")
                raise
            note("end")

        @task
        def block() -> None:
            note("block")
            threading.Event().wait()
        """,
    "shop/routes.py": """
        import asyncio

        from fastapi import APIRouter

        from .tasks import LOG, block, note, send

        router = APIRouter()

        @router.get("/send")
        async def enqueue(seconds: float = 0) -> str:
            return (await send.enqueue(seconds=seconds)).uid

        @router.get("/wait")
        async def wait() -> str:
            note("wait")
            while not (LOG.parent / "released").exists():
                await asyncio.sleep(0.02)
            return "released"

        @router.get("/block")
        async def enqueue_block() -> str:
            return (await block.enqueue()).uid
        """,
    "program.py": """
        import sys
        from fastforge.server.serve import bind, serve

        sys.exit(serve("shop.asgi:app", bind("127.0.0.1", int(sys.argv[1]))))
        """,
}
INSIDE = {EMBEDDED_WORKER: "1", "FASTFORGE_ENV": "development"}


class Served:
    """A server of the shop, and what its jobs have noted."""

    def __init__(self, folder: ProjectFolder, argv: list[str], env: dict[str, str]) -> None:
        self.port = free_port()
        self.log = folder.path / "log"
        argv = [sys.executable, *argv, str(self.port)]
        self.process: Process = start(argv, cwd=folder.path, env=env)

    def get(self, path: str) -> str:
        """Ask for a path, once the server is there."""
        answer = wait_until(
            lambda: fetch(f"http://127.0.0.1:{self.port}{path}"), describe=self.process
        )
        assert answer.status == 200, answer
        return answer.body

    def noted(self, text: str) -> bool:
        """Whether a job has noted this in the server's own process."""
        line = f"{text} in {self.process.pid}\n"
        return self.log.exists() and line in self.log.read_text()

    def wait_for(self, text: str) -> None:
        """Wait for a note of a job in the server's own process."""
        wait_until(lambda: self.noted(text), describe=self.process)

    def __enter__(self) -> Self:
        self.process.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.process.__exit__(*error)  # type: ignore[arg-type]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(SHOP | {"shop/settings.py": SETTINGS})
        yield folder


def served(shop: ProjectFolder, **more: str) -> Served:
    return Served(shop, ["program.py"], INSIDE | more)


def migrate(shop: ProjectFolder) -> None:
    async def apply() -> None:
        project = shop.load()
        async with migration_engines(project) as engines:
            await apply_migrations(engines, project_history(project))

    asyncio.run(apply())


def test_a_job_runs_in_the_process_that_enqueued_it_under_any_server(shop: ProjectFolder) -> None:
    migrate(shop)
    with Served(shop, ["-m", "uvicorn", "shop.asgi:app", "--port"], INSIDE) as server:
        server.get("/send")
        server.wait_for("end")


def test_what_runs_is_handed_back_at_sigterm_and_killed_jobs_wait_for_the_next_start(
    shop: ProjectFolder,
) -> None:
    migrate(shop)
    with served(shop) as first:
        first.get("/send?seconds=3600")
        first.wait_for("begin")
        first.process.terminate()
        assert first.process.wait() == 0
        assert "Traceback" not in first.process.output
    with served(shop) as second:
        second.wait_for("begin")  # at once: it was handed back
        second.process.kill()
        second.process.wait()
    with served(shop) as third:
        third.wait_for("begin")  # when its lease of a second has ended


def test_jobs_are_handed_back_side_by_side_with_requests_that_end(shop: ProjectFolder) -> None:
    migrate(shop)
    with served(shop) as server, ThreadPoolExecutor() as clients:
        server.get("/send?seconds=3600")
        server.wait_for("begin")
        answer = clients.submit(server.get, "/wait")
        server.wait_for("wait")
        server.process.terminate()
        server.wait_for("cancelled")
        assert not answer.done()
        shop.write({"released": ""})
        assert answer.result() == '"released"'
        assert server.process.wait() == 0


def test_without_the_variable_nothing_runs(shop: ProjectFolder) -> None:
    migrate(shop)
    with served(shop, **{EMBEDDED_WORKER: ""}) as server:
        server.get("/send")
        server.process.terminate()
        assert server.process.wait() == 0
        assert not server.log.exists()
    with served(shop) as server:
        server.wait_for("end")


def test_before_the_first_migrate_the_server_serves_and_its_worker_waits_without_a_word(
    shop: ProjectFolder,
) -> None:
    with served(shop) as server:
        server.get("/openapi.json")
        migrate(shop)
        server.get("/send")
        server.wait_for("end")
        assert "the task backend" not in server.process.output
        assert "Traceback" not in server.process.output


def test_a_thread_that_does_not_end_does_not_keep_the_process(shop: ProjectFolder) -> None:
    migrate(shop)
    with served(shop) as server:
        server.get("/block")
        server.wait_for("block")
        server.process.terminate()
        assert server.process.wait() == 0
        assert "1 thread did not end; it is left behind" in server.process.output


def test_jobs_in_memory_run_as_well(shop: ProjectFolder) -> None:
    shop.write({"shop/settings.py": MEMORY})
    with served(shop) as server:
        server.get("/send")
        server.wait_for("end")


async def test_what_runs_the_jobs_is_told_in_words(
    shop: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = shop.load()
    monkeypatch.delenv(EMBEDDED_WORKER, raising=False)
    async with project.running(Role.WEB) as container:
        assert where_jobs_run(container) == "wait for a worker: manage runworker"
        monkeypatch.setenv(EMBEDDED_WORKER, "1")
        assert where_jobs_run(container) == "run in this process: default, mail"


async def test_a_call_that_blocks_is_refused_in_development_with_what_to_write(
    tmp_path: Path,
) -> None:
    with isolated(tmp_path) as folder:
        folder.write(
            {
                "shop/settings.py": "INSTALLED_APPS = ['shop']",
                "shop/routes.py": """
                    import time
                    from fastapi import APIRouter

                    router = APIRouter()

                    @router.get("/slow")
                    async def slow() -> None:
                        time.sleep(0.001)
                    """,
                "shop/asgi.py": SHOP["shop/asgi.py"],
                "pyproject.toml": SHOP["pyproject.toml"],
            }
        )
        environ = {"FASTFORGE_ENV": "development", "SECRET_KEY": "x" * 50}
        port = free_port()
        argv = [sys.executable, "-m", "fastforge", "runserver", "--no-reload", str(port)]
        with start(argv, cwd=tmp_path, env=environ) as server:
            answer = wait_until(lambda: fetch(f"http://127.0.0.1:{port}/slow"), describe=server)
            assert answer.status == 500
            assert "routes.py:8: time.sleep() blocks the event loop" in answer.body
            assert "write await asyncio.sleep(...)" in answer.body
