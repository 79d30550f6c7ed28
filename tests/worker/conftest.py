"""A project with jobs on SQLite, and workers of it that are real processes."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.contrib.jobs.shop import Shop
from tests.folder import isolated
from tests.processes import Process, wait_until

MakeShop = Callable[..., Awaitable[Shop]]


@pytest.fixture
def make_shop(tmp_path: Path, sqlite_url: str) -> Iterator[MakeShop]:
    """Make the project; `tasks` are the settings TASKS, `more` is added to its tasks.py."""
    with isolated(tmp_path) as folder:

        async def make(tasks: str = "", *, more: str = "") -> Shop:
            shop = Shop(folder, sqlite_url, tasks=tasks)
            append(shop, more)
            await shop.create_table()
            return shop

        yield make


def append(shop: Shop, code: str) -> None:
    """Write at the end of the project's tasks.py."""
    file = shop.folder.path / "shop/tasks.py"
    file.write_text(file.read_text() + code)


def pids(worker: Process, count: int) -> list[int]:
    """The ids of the first so many processes that take jobs, in the order of their starts."""

    def seen() -> list[int]:
        found = re.findall(r"worker [^ ]*:(\d+):\w+ takes jobs from", worker.output)
        assert worker.alive or len(found) >= count, str(worker)
        return [int(pid) for pid in found] if len(found) >= count else []

    return wait_until(seen, describe=worker)
