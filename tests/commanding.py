"""Commands in a process of their own that need not import everything first.

They are forked from one that has: that costs a tenth, and each is as new as a started program.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from .processes import DEADLINE_S, clean_environment

__all__ = ["outcomes"]

IMPORTED = [
    __name__,
    "aiosqlite",
    "alembic.operations",
    "asyncpg",
    "fastapi",
    "fastforge.contrib.db.migrations.maker",
    "fastforge.contrib.db.migrations.project",
    "fastforge.contrib.db.migrations.runner",
    "fastforge.management.cli",
    "psycopg",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.aiosqlite",
]

Outcome = tuple[int, str]


def outcomes(
    folder: Path, environ: Mapping[str, str], commands: Sequence[Sequence[str]]
) -> list[Outcome]:
    """Run commands one after the other; the exit code and what each wrote."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    here, there = context.Pipe(duplex=False)
    variables = {**clean_environment(), **environ}
    process = context.Process(target=_run, args=(there, str(folder), variables, commands))
    process.start()
    there.close()
    try:
        assert here.poll(DEADLINE_S), f"{commands} do not end"
        told: list[Outcome] = here.recv()  # EOFError: it died, and its traceback is on the screen
        return told
    finally:
        here.close()
        process.kill()
        process.join()


def _run(
    there: Connection, folder: str, environ: Mapping[str, str], commands: Sequence[Sequence[str]]
) -> None:
    from fastforge.management.cli import run

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.path.insert(0, folder)
    told: list[Outcome] = []
    for arguments in commands:
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):
            code = run(list(arguments))
        told.append((code, out.getvalue()))
    there.send(told)
