"""An engine that was used before its process was forked is shared with no child."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import psycopg
import pytest

from tests.conftest import with_driver
from tests.folder import ProjectFolder
from tests.processes import fetch, free_port, run, start, wait_until

EARLY = """
    import asyncio
    import os
    from pathlib import Path

    from sqlalchemy import text

    from fastforge.contrib.db import Database
    from fastforge.contrib.db.resources import open_database

    URL = os.environ["DATABASE_URL"]
    BACKEND = text("SELECT pg_backend_pid()")

    async def open_it():
        config = Database(url=URL, pool_size=2)
        connection = await open_database(config, root=Path.cwd(), environment="production")
        return connection, await connection.session().scalar(BACKEND)

    loop = asyncio.new_event_loop()
    connection, backend = loop.run_until_complete(open_it())
    print("parent", backend, flush=True)
    """

FORKING = """
    import asyncio
    import gc
    import os
    import sys

    from early import BACKEND, backend, connection, loop

    async def children_backend():
        return await connection.session().scalar(BACKEND)

    if len(sys.argv) > 1:
        loop.run_until_complete(connection.engine.dispose())
    children = []
    for _ in range(2):
        child = os.fork()
        if not child:
            print("child", asyncio.run(children_backend()), flush=True)
            gc.collect()
            sys.exit()
        os.waitpid(child, 0)
    print("parent", loop.run_until_complete(children_backend()), flush=True)
    loop.run_until_complete(connection.engine.dispose())
    """


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_children_have_connections_of_their_own(
    tmp_path: Path, postgres_dsn: str, driver: str
) -> None:
    ProjectFolder(tmp_path).write({"early.py": EARLY, "forking.py": FORKING})
    env = {"DATABASE_URL": with_driver(postgres_dsn, driver)}
    result = run([sys.executable, "forking.py"], cwd=tmp_path, env=env)
    lines = result.stdout.split()
    assert lines[::2] == ["parent", "child", "child", "parent"], result
    parent, one, two, again = lines[1::2]
    assert len({parent, one, two}) == 3
    assert again == parent
    assert result.stderr.count("early made a database engine and used it before") == 2
    assert "Traceback" not in result.stderr


def test_an_engine_that_holds_no_connection_is_nobodys_mistake(
    tmp_path: Path, postgres_url: str
) -> None:
    ProjectFolder(tmp_path).write({"early.py": EARLY, "forking.py": FORKING})
    env = {"DATABASE_URL": postgres_url}
    result = run([sys.executable, "forking.py", "disposed"], cwd=tmp_path, env=env)
    assert len(set(result.stdout.split()[1::2])) == 4, result
    assert result.stderr == ""


SHOP = {
    "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
    "early.py": EARLY,
    "shop/settings.py": """
        INSTALLED_APPS = ["fastforge.contrib.db", "shop.pages"]
        TASKS = {"backend": "memory"}
        SERVER = {"start_deadline_s": 0}
        """,
    "shop/pages/__init__.py": "",
    "shop/pages/routes.py": """
        import os

        from fastapi import APIRouter
        from sqlalchemy import text

        from early import BACKEND, connection
        from fastforge.contrib.db import DbSession

        router = APIRouter()

        @router.get("/pids")
        async def pids(db: DbSession):
            early = await connection.session().scalar(BACKEND)
            assert await db.scalar(text("SELECT 1")) == 1
            return [os.getpid(), early]
        """,
    "shop/asgi.py": """
        from fastforge import Project, get_asgi_application

        app = get_asgi_application(Project.load())
        """,
}


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_workers_of_a_preloaded_gunicorn_share_nothing(
    tmp_path: Path, postgres_dsn: str, driver: str
) -> None:
    ProjectFolder(tmp_path).write(SHOP)
    port = free_port()
    argv = [
        *(sys.executable, "-m", "gunicorn", "--preload", "--workers", "2", "--worker-class"),
        *("asgi", "--bind", f"127.0.0.1:{port}", "shop.asgi:app"),
    ]
    env = {"DATABASE_URL": with_driver(postgres_dsn, driver), "FASTFORGE_ENV": "production"}
    with start(argv, cwd=tmp_path, env=env) as gunicorn:
        backends: dict[int, set[int]] = {}

        def ask() -> bool:
            answer = fetch(f"http://127.0.0.1:{port}/pids", headers={"Connection": "close"})
            if answer is not None:
                worker, backend = json.loads(answer.body)
                backends.setdefault(worker, set()).add(backend)
            return len(backends) == 2

        wait_until(ask, describe=gunicorn)
        parent = int(gunicorn.wait_for("\n").split("parent ")[1].split()[0])
        one, two = backends.values()
        assert not one & two
        assert parent not in one | two
        with psycopg.connect(postgres_dsn) as admin:
            row = admin.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", [parent])
            assert row.fetchone() == (1,), "what the parent has stays open"
        warning = "early made a database engine and used it before this process was forked"
        assert gunicorn.output.count(warning) == 2, gunicorn
