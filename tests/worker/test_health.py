"""A worker answers three probes: at its start, at work, in trouble and while it drains."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

from fastforge.tasks.outcome import JobState
from tests.contrib.jobs.shop import Shop
from tests.processes import Process, fetch, free_port, wait_until

from .conftest import MakeShop, pids


def state(port: int, path: str) -> tuple[int, dict[str, Any]] | None:
    answer = fetch(f"http://127.0.0.1:{port}{path}")
    return answer and (answer.status, json.loads(answer.body))


def status(port: int, path: str = "/readyz") -> int:
    found = state(port, path)
    return found[0] if found else 0


def begun(shop: Shop, worker: Process) -> None:
    wait_until(lambda: shop.logged("begin")[1] == 1, describe=worker)


async def test_a_worker_is_ready_until_it_drains(make_shop: MakeShop) -> None:
    shop = await make_shop("drain_s=3600")
    async with shop.enqueueing() as tasks:
        await tasks.slow.enqueue(number=1, seconds=3600)
    port = free_port()
    with shop.worker("--health-port", str(port)) as worker:
        begun(shop, worker)
        wait_until(lambda: status(port) == 200, describe=worker)
        assert state(port, "/livez") == state(port, "/startupz") == (200, {"status": "pass"})
        whole = state(port, "/readyz?verbose")
        assert whole is not None
        assert whole[1]["checks"]["database"][0]["observedUnit"] == "ms"
        assert status(port, "/other") == 404
        worker.terminate()
        worker.wait_for("1 job may end within")
        assert state(port, "/readyz") == (
            503,
            {"status": "fail", "notes": ["the process is stopping"]},
        )
        assert status(port, "/livez") == status(port, "/startupz") == 200
        worker.terminate()
        assert worker.wait() == 0
    (job,) = await shop.jobs()
    assert job.state == JobState.READY


async def test_a_worker_whose_backend_fails_is_not_ready(make_shop: MakeShop) -> None:
    shop = await make_shop()
    port = free_port()
    with shop.worker("--health-port", str(port)) as worker:
        wait_until(lambda: status(port) == 200, describe=worker)
        await drop_tables(shop)
        wait_until(lambda: status(port) == 503, describe=worker)
        assert status(port, "/livez") == 200
        await shop.create_table()
        wait_until(lambda: status(port) == 200, describe=worker)
        worker.terminate()
        assert worker.wait() == 0


async def drop_tables(shop: Shop) -> None:
    import sqlalchemy as sa

    from fastforge import Role
    from fastforge.contrib.db.resources import database

    async with (
        shop.folder.load().running(Role.COMMAND) as container,
        container[database].engine.begin() as connection,
    ):
        await connection.execute(sa.text("DROP TABLE jobs_job"))


async def test_the_supervisor_answers_for_all_processes(make_shop: MakeShop) -> None:
    shop = await make_shop("drain_s=3600")
    port = free_port()
    with shop.worker("--processes", "2", "--health-port", str(port)) as worker:
        wait_until(lambda: status(port, "/livez") == 200, describe=worker)
        wait_until(lambda: status(port, "/startupz") == 200, describe=worker)
        wait_until(lambda: status(port) == 200, describe=worker)
        first, second = pids(worker, 2)
        found = state(port, "/readyz")
        assert found is not None
        assert [each["status"] for each in found[1]["processes"]] == ["pass", "pass"]
        assert "observedUnit" not in json.dumps(found[1])
        whole = state(port, "/readyz?verbose")
        assert whole is not None
        for each in whole[1]["processes"]:
            assert each["checks"]["database"][0]["observedUnit"] == "ms"
        os.kill(first, signal.SIGSTOP)
        wait_until(lambda: status(port) == 503, describe=worker)
        wait_until(lambda: status(port, "/livez") == 503, describe=worker)
        os.kill(first, signal.SIGCONT)
        wait_until(lambda: status(port) == 200, describe=worker)
        os.kill(second, signal.SIGKILL)
        wait_until(lambda: status(port) == 503, describe=worker)
        assert status(port, "/startupz") == 200
        wait_until(lambda: status(port) == 200, describe=worker)
        async with shop.enqueueing() as tasks:
            await tasks.slow.enqueue(number=1, seconds=3600)
        begun(shop, worker)
        worker.terminate()
        wait_until(lambda: status(port) == 503, describe=worker)
        worker.wait_for("may end within")  # two that come at once are one
        worker.terminate()
        assert worker.wait() == 0


async def test_a_port_in_use_is_told_at_once(make_shop: MakeShop) -> None:
    shop = await make_shop()
    port = free_port()
    with shop.worker("--health-port", str(port)) as first:
        wait_until(lambda: status(port) == 200, describe=first)
        with shop.worker("--health-port", str(port)) as second:
            assert second.wait() == 3
            assert f":{port} is in use by" in second.output, second.output
