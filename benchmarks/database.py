"""Database: one row read and one row written by a request, against the usual session dependency."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from tests import services

from .baselines.sessions import add_routes, make_engine
from .harness.projects import serving, write_project
from .harness.requests import cpu_us_per_request
from .harness.rows import Row, arguments, compare, show

FILES = {
    "bench/settings.py": """
        import os

        from fastforge.contrib.db import Database

        ALLOWED_HOSTS = ["*"]
        INSTALLED_APPS = ["fastforge.contrib.db", "bench.rows"]
        DATABASES = {"default": Database(url=os.environ["BENCH_DATABASE_URL"])}
        """,
    "bench/rows/__init__.py": "",
    "bench/rows/models.py": """
        from sqlalchemy.orm import Mapped, mapped_column

        from fastforge.contrib.db import Model


        class Row(Model):
            id: Mapped[int] = mapped_column(primary_key=True)
            text: Mapped[str]
        """,
    "bench/rows/routes.py": """
        from fastapi import APIRouter

        from fastforge.contrib.db import DbSession

        from .models import Row

        router = APIRouter()


        @router.get("/row")
        async def read(db: DbSession) -> dict[str, str]:
            found = await db.get(Row, 1_000_000_000)
            return {"text": found.text if found else ""}


        @router.post("/row")
        async def write(db: DbSession) -> dict[str, int]:
            made = Row(text="new")
            db.add(made)
            await db.flush()
            return {"id": made.id}
        """,
}


def main() -> None:
    """Print a row for reads and one for writes, on each database."""
    options = arguments(__doc__)
    count, rounds = (100, 2) if options.quick else (600, 15)
    with tempfile.TemporaryDirectory() as folder:
        write_project(Path(folder), FILES)
        sqlite = f"sqlite+aiosqlite:///{folder}/rows.sqlite3"
        server = services.start("postgres")
        try:
            postgres = server.url.replace("postgresql://", "postgresql+asyncpg://")
            for suffix, url in (("", postgres), ("-sqlite", sqlite)):
                rows = _rows(Path(folder), url, suffix, count=count, rounds=rounds)
                show(rows, as_json=options.json)
        finally:
            server.close()


def _rows(folder: Path, url: str, suffix: str, *, count: int, rounds: int) -> Iterator[Row]:
    os.environ["BENCH_DATABASE_URL"] = url
    with asyncio.Runner() as runner:
        manager = _applications(folder, url)
        ours, usual = runner.run(manager.__aenter__())
        for case, method in (("reads", "GET"), ("writes", "POST")):

            def cost(app: FastAPI, method: str = method) -> float:
                return runner.run(cpu_us_per_request(app, method, "/row", count=count))

            yield from compare(
                benchmark="database",
                case=case + suffix,
                subjects={"fastforge": lambda: cost(ours), "hand-written": lambda: cost(usual)},
                against="hand-written",
                rounds=rounds,
            )
        runner.run(manager.__aexit__(None, None, None))


@asynccontextmanager
async def _applications(folder: Path, url: str) -> AsyncIterator[tuple[FastAPI, FastAPI]]:
    async with serving(folder) as (project, ours):
        row: Any = project.registry.values("models")[0]
        engine = make_engine(url)
        async with engine.begin() as connection:
            await connection.run_sync(row.metadata.drop_all, [row.__table__])
            await connection.run_sync(row.metadata.create_all, [row.__table__])
            await connection.execute(row.__table__.insert().values(id=1_000_000_000, text="one"))
        usual = FastAPI()
        add_routes(usual, engine, row)
        yield ours, usual
        await engine.dispose()


if __name__ == "__main__":
    main()
