"""The first answer is early because little is imported before it."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.processes import ROOT, run


def imported(program: str, *, cwd: Path, **env: str) -> set[str]:
    report = "\nimport sys; print(*sys.modules)"
    env["FASTFORGE_ENV"] = "development"
    result = run([sys.executable, "-c", program + report], cwd=cwd, env=env)
    assert result.returncode == 0, result.stderr
    return set(result.stdout.splitlines()[-1].split())


def test_the_process_that_starts_the_child_imports_little_before(tmp_path: Path) -> None:
    program = """
import fastforge.management.cli
import fastforge.management.commands.runserver
import fastforge.management.running
import fastforge.server.listening
import fastforge.server.reload
"""
    heavy = {"asyncio", "pydantic", "fastapi", "uvicorn", "watchfiles", "anyio"}
    assert not heavy & imported(program, cwd=tmp_path)


def test_an_application_that_serves_has_imported_nothing_for_other_work(tmp_path: Path) -> None:
    """Neither migrations nor checks, neither threads nor the drivers of other databases."""
    program = """
import asyncio, os, sys
from conduit.asgi import app

async def main():
    async with app.router.lifespan_context(app):
        print(*sys.modules, flush=True)
        os._exit(0)

asyncio.run(main())
"""
    database = f"sqlite+aiosqlite:///{tmp_path}/db.sqlite3"
    found = imported(program, cwd=ROOT / "example_project", DATABASE_URL=database)
    unwanted = {"alembic", "sqlalchemy.dialects.postgresql", "httpx._main", "httpcore"}
    unwanted |= {"fastforge.offloading.offloader", "multiprocessing", "anyio._backends._asyncio"}
    unwanted |= {"fastforge.core.checks.settings", "fastforge.contrib.db.checks"}
    assert not unwanted & found
    assert {"sqlalchemy", "fastapi"} < found
