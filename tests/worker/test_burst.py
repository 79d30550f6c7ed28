"""A burst has an end: whoever waits for it is told when nothing can be done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contrib.arq.shop import ArqShop
from tests.contrib.jobs.shop import Shop
from tests.folder import isolated
from tests.processes import free_port

from .conftest import MakeShop


@pytest.fixture
def lonely_shop(tmp_path: Path, sqlite_url: str) -> Iterator[ArqShop]:
    """A project whose Redis is away."""
    with isolated(tmp_path) as folder:
        yield ArqShop(folder, sqlite_url, f"redis://127.0.0.1:{free_port()}/0")


@pytest.mark.parametrize("arguments", [(), ("--processes", "2")], ids=["one", "two"])
async def test_a_redis_that_is_away_ends_it_with_code_3_and_one_line(
    lonely_shop: ArqShop, arguments: tuple[str, ...]
) -> None:
    await lonely_shop.create_table()
    with lonely_shop.worker("--burst", *arguments) as worker:
        assert worker.wait() == 3, worker.output
        errors = [line for line in worker.output.splitlines() if line.startswith("error: ")]
    (error,) = errors
    assert "[tasks.E093] the task backend has failed for 3 s: Redis at redis://" in error


async def test_a_worker_without_burst_waits_for_it(lonely_shop: ArqShop) -> None:
    await lonely_shop.create_table()
    with lonely_shop.worker() as worker:
        worker.wait_for("the worker waits for it: [arq.E001]")
        worker.terminate()
        assert worker.wait() == 0, worker.output


def install_arq(shop: Shop, redis_url: str) -> None:
    """Let a project have the other backend as well."""
    file = shop.folder.path / "shop/settings.py"
    apps = '"fastforge.contrib.redis", "fastforge.contrib.arq", "shop"]'
    text = file.read_text().replace('"shop"]', apps)
    lines = ("from fastforge.contrib.redis import Redis", text, f"REDIS = Redis(url={redis_url!r})")
    file.write_text("\n".join(lines))


async def test_jobs_that_are_left_in_another_backend_are_told(
    make_shop: MakeShop, redis_url: str
) -> None:
    shop = await make_shop()
    install_arq(shop, redis_url)
    settings = shop.folder.path / "shop/settings.py"
    database = settings.read_text()
    arq = database.replace("TASKS = Tasks()", 'TASKS = Tasks(backend="arq")')
    assert database != arq

    async with shop.enqueueing() as tasks:
        await tasks.work.enqueue(number=1)
    settings.write_text(arq)
    with shop.worker("--burst") as worker:
        assert worker.wait() == 0, worker.output
        worker.wait_for("1 job is left in the backend 'database', and TASKS.backend is 'arq':")
    async with shop.enqueueing() as tasks:
        await tasks.work.enqueue(number=2)
        await tasks.work.using(delay=3600).enqueue(number=3)
    settings.write_text(database)
    with shop.worker("--burst") as worker:
        assert worker.wait() == 0, worker.output
        worker.wait_for("2 jobs are left in the backend 'arq', and TASKS.backend is 'database':")
    assert shop.logged("end") == {1: 1}
