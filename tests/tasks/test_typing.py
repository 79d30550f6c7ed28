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
    from datetime import timedelta
    from typing import Annotated, Any, assert_type
    from fastapi import Depends
    from fastforge.tasks import (
        Batch, Call, Concurrency, JobHandle, JobState, PreparedTask, Progress, Rate, Retry, Task,
        Unique, enqueue_many, injected, task,
    )

    class Session: ...
    async def give_session() -> Session: return Session()
    Db = Annotated[Session, Depends(give_session)]

    @task(queue="mail", retry=Retry(max_attempts=3, never_for=(KeyError,)), timeout_s=30)
    async def send(order_id: int, *, db: Db = injected) -> None: ...
    @task
    async def count(a: int, b: str = "x", *, db: Db = injected) -> int: return a
    @task
    def resize(path: str) -> bytes: return b""
    @task(name="crop")
    def crop(path: str) -> bytes: return b""
    @task(unique=True, concurrency=2, rate=Rate(5), priority=-1, isolate=True)
    def scan(path: str) -> list[str]: return []
    @task(unique=Unique(by="path"), concurrency=Concurrency(1, by="path"))
    async def read(path: str) -> str: return ""

    async def right() -> None:
        assert_type(await send.enqueue(order_id=7), JobHandle[None])
        assert_type(send.enqueue_sync(7), JobHandle[None])
        assert_type(await count(1, db=Session()), int)
        assert_type(await resize("a"), bytes)
        assert_type(await crop("a"), bytes)
        assert_type(await resize.enqueue(path="a"), JobHandle[bytes])
        assert_type(await scan.enqueue(path="a"), JobHandle[list[str]])
        assert_type(await read.enqueue(path="a"), JobHandle[str])

    async def prepared() -> None:
        later = count.using(delay=timedelta(1), priority=3, unique=False, expires=timedelta(2))
        assert_type(await later.enqueue(1, b="y"), JobHandle[int])
        assert_type(later.enqueue_sync(a=1), JobHandle[int])
        assert_type(later.call(1), Call[int])
        assert_type(later.using(queue="bulk").call(a=1), Call[int])
        assert_type(await later.enqueue_many([count.call(1), later.call(2)]), Batch[int])

    async def told() -> None:
        handle = await count.enqueue(1)
        assert_type(handle, JobHandle[int])
        assert_type(await handle.result(), int)
        assert_type(await handle.wait(timeout_s=5), int)
        assert_type(await handle.state(), JobState)
        assert_type(await handle.progress(), Progress | None)
        assert_type(await handle.cancel(), bool)
        assert_type(await resize.job("7").result(), bytes)
        batch = await resize.enqueue_many((resize.call(p) for p in "ab"), then=send.call(7))
        assert_type(batch, Batch[bytes])
        assert_type([await each.result() for each in batch.handles], list[bytes])
        anything: list[Call[Any]] = [send.call(1), resize.call("a")]
        assert_type(await enqueue_many(anything), Batch[Any])
        objects: Batch[object] = await enqueue_many([count.call(1), resize.call("a")])
        wider: JobHandle[object] = handle

    async def wrong() -> None:
        await send.enqueue(order_id="7")  # mistake
        await send.enqueue()  # mistake
        await send.enqueue(order=7)  # mistake
        await count.enqueue(1, b=2)  # mistake
        send.enqueue_sync("7")  # mistake
        await resize.enqueue(7)  # mistake
        await crop.enqueue()  # mistake
        await resize()  # mistake
        count.call("1")  # mistake
        count.call()  # mistake
        count.call(a=1, c=2)  # mistake
        await count.using(priority=1).enqueue("1")  # mistake
        await count.using().enqueue()  # mistake
        count.using().enqueue_sync(b=1)  # mistake
        count.using(delay="soon")  # mistake
        count.using(delay_s=5)  # mistake
        count.using(run_at=timedelta(1))  # mistake
        count.using(priority="high")  # mistake
        count.using(unique=1.5)  # mistake
        await count.enqueue_many([resize.call("a")])  # mistake
        await count.enqueue_many([1, 2])  # mistake
        await enqueue_many([count.call(1)], then=send)  # mistake
        await count.enqueue(1, db="x")  # mistake
        narrower: JobHandle[str] = await count.enqueue(1)  # mistake
        Retry(never_for=("KeyError",))  # mistake
        task(concurrency="2")  # mistake
        task(rate=5)  # mistake
        task(prio=5)  # mistake
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
