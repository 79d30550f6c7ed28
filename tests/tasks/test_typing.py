"""What type checkers see of a task: its function's arguments, and every mistake in them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent.parent / "src"

CODE = textwrap.dedent(
    """\
    from typing import Annotated, assert_type
    from fastapi import Depends
    from fastforge.tasks import JobHandle, Retry, Task, injected, task

    class Session: ...
    async def give_session() -> Session: return Session()
    Db = Annotated[Session, Depends(give_session)]

    @task(queue="mail", retry=Retry(max_attempts=3), timeout_s=30)
    async def send(order_id: int, *, db: Db = injected) -> None: ...
    @task
    async def count(a: int, b: str = "x", *, db: Db = injected) -> int: return a
    @task
    def resize(path: str) -> bytes: return b""
    @task(name="crop")
    def crop(path: str) -> bytes: return b""

    async def right() -> None:
        assert_type(await send.enqueue(order_id=7), JobHandle[None])
        assert_type(send.enqueue_sync(7), JobHandle[None])
        assert_type(await count(1, db=Session()), int)
        assert_type(await resize("a"), bytes)
        assert_type(await crop("a"), bytes)
        assert_type(await resize.enqueue(path="a"), JobHandle[bytes])

    async def wrong() -> None:
        await send.enqueue(order_id="7")  # mistake
        await send.enqueue()  # mistake
        await send.enqueue(order=7)  # mistake
        await count.enqueue(1, b=2)  # mistake
        send.enqueue_sync("7")  # mistake
        await resize.enqueue(7)  # mistake
        await crop.enqueue()  # mistake
        await resize()  # mistake
    """
)
MISTAKES = {number for number, line in enumerate(CODE.splitlines(), 1) if "# mistake" in line}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop_tasks.py"
    path.write_text(CODE)
    return path


def test_mypy_reports_exactly_the_mistakes(file: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", file.name]
    done = subprocess.run(
        command,
        cwd=file.parent,
        env={**os.environ, "MYPYPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(r"^shop_tasks\.py:(\d+): error", done.stdout, re.MULTILINE)
    assert set(map(int, found)) == MISTAKES, done.stdout + done.stderr


def test_pyright_reports_exactly_the_mistakes(file: Path) -> None:
    config = {"pythonVersion": "3.11", "extraPaths": [str(SOURCE)], "include": [file.name]}
    (file.parent / "pyrightconfig.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(command, cwd=file.parent, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)["generalDiagnostics"]
    lines = {fault["range"]["start"]["line"] + 1 for fault in found}
    assert lines == MISTAKES, found
