"""Isolation: what a test's own transaction costs, against a bare BEGIN and ROLLBACK."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from fastforge import Project, Role
from fastforge.contrib.db.resources import database
from fastforge.test.case import Case
from fastforge.test.loops import Loop
from fastforge.test.session import Session
from tests import services

from .harness.projects import write_project
from .harness.rows import Row, arguments, compare, show

FILES = {
    "bench/settings.py": """
        import os

        from fastforge.contrib.db import Database

        INSTALLED_APPS = ["fastforge.contrib.db", "bench.rows"]
        DATABASES = {"default": Database(url=os.environ["BENCH_DATABASE_URL"])}
        """,
    "bench/rows/__init__.py": "",
    "bench/rows/migrations/0001_initial.py": """
        import sqlalchemy as sa

        revision = "rows.0001_initial"


        def upgrade(op):
            op.create_table("rows_row", sa.Column("text", sa.String(), primary_key=True))
        """,
}
INSERT = text("INSERT INTO rows_row (text) VALUES ('one')")


def main() -> None:
    """Print a row for each database: a test that writes one row, with all that isolates it."""
    options = arguments(__doc__)
    count, rounds = (50, 2) if options.quick else (300, 15)
    server = services.start("postgres")
    try:
        for suffix in ("asyncpg", "psycopg", "sqlite"):
            with tempfile.TemporaryDirectory() as folder:
                write_project(Path(folder), FILES)
                url = server.url.replace("postgresql://", f"postgresql+{suffix}://")
                if suffix == "sqlite":
                    url = f"sqlite+aiosqlite:///{folder}/rows.sqlite3"
                rows = _rows(Path(folder), url, suffix, count=count, rounds=rounds)
                show(rows, as_json=options.json)
    finally:
        server.close()


def _rows(folder: Path, url: str, suffix: str, *, count: int, rounds: int) -> Iterator[Row]:
    for name in [name for name in sys.modules if name.partition(".")[0] == "bench"]:
        del sys.modules[name]
    os.environ["BENCH_DATABASE_URL"] = url
    project = Project.load("bench.settings", start=folder, environ=_environ(url))
    with asyncio.Runner() as runner, ExitStack() as stack:
        session = Session(project, worker="bench", stack=stack)

        def run(function: Callable[[], Awaitable[object]]) -> object:
            return runner.run(function())  # type: ignore[arg-type]

        loop = stack.enter_context(Loop(run).closing())
        case = Case(name="bench", loop=loop, commits=False)
        with ExitStack() as first:
            running = session.for_test(first, case).running(Role.COMMAND)
            container = runner.run(running.__aenter__())
            isolated = container[database].engine
            bare = create_async_engine(isolated.url, pool_size=1)

        def test_cost() -> float:
            began = time.perf_counter()
            for _ in range(count):
                with ExitStack() as test:
                    session.for_test(test, case)
                    runner.run(_written(isolated, commit=True))
            return (time.perf_counter() - began) / count * 1e6

        def bare_cost() -> float:
            began = time.perf_counter()
            for _ in range(count):
                runner.run(_written(bare, commit=False))
            return (time.perf_counter() - began) / count * 1e6

        yield from compare(
            benchmark="isolation",
            case=suffix,
            subjects={"fastforge": test_cost, "begin-rollback": bare_cost},
            against="begin-rollback",
            rounds=rounds,
        )
        runner.run(bare.dispose())
        runner.run(running.__aexit__(None, None, None))


def _environ(url: str) -> dict[str, str]:
    return {"FASTFORGE_ENV": "test", "BENCH_DATABASE_URL": url, "SECRET_KEY": "x" * 43}


async def _written(engine: AsyncEngine, *, commit: bool) -> None:
    async with engine.connect() as connection:
        await connection.execute(INSERT)
        await (connection.commit() if commit else connection.rollback())


if __name__ == "__main__":
    main()
