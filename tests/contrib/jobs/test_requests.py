"""A request and the jobs it enqueues are one transaction, in `async def` and in `def` handlers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from fastforge.asgi import get_asgi_application
from tests.folder import isolated

from .shop import Shop

ROUTES = """
    import anyio.from_thread
    from fastapi import APIRouter
    from fastapi.responses import JSONResponse

    from fastforge.contrib.db import DbSession
    from .tasks import work

    router = APIRouter()

    @router.post("/async/{number}")
    async def asynchronous(number: int, status: int, db: DbSession) -> JSONResponse:
        await work.enqueue(number=number)
        return JSONResponse({}, status_code=status)

    @router.post("/def/{number}")
    def plain(number: int, status: int, db: DbSession) -> JSONResponse:
        work.enqueue_sync(number=number)
        return JSONResponse({}, status_code=status)

    @router.get("/read/{number}")
    async def reading(number: int) -> str:
        return (await work.enqueue(number=number)).uid
"""

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def shop(tmp_path: Path, each_database_url: str) -> Iterator[Shop]:
    with isolated(tmp_path) as folder:
        folder.write({"shop/routes.py": ROUTES})
        yield Shop(folder, each_database_url, tasks="")


@pytest.mark.parametrize("handler", ["async", "def"])
async def test_what_a_refused_request_enqueued_is_gone(shop: Shop, handler: str) -> None:
    await shop.create_table()
    with TestClient(get_asgi_application(shop.folder.load())) as client:
        for number, status in enumerate((201, 409, 200, 500), start=1):
            client.post(f"/{handler}/{number}", params={"status": status})
    assert [job.payload["number"] for job in await shop.jobs()] == [1, 3]


async def test_a_job_remembers_the_request_that_enqueued_it(shop: Shop) -> None:
    await shop.create_table()
    with TestClient(get_asgi_application(shop.folder.load())) as client:
        answer = client.get("/read/7", headers={"traceparent": TRACE})
        client.post("/def/8", params={"status": 201}, headers={"traceparent": "nonsense"})
    first, second = await shop.jobs()
    assert first.uid == answer.json()
    assert first.headers == {"request_id": answer.headers["x-request-id"], "traceparent": TRACE}
    assert second.headers.keys() == {"request_id"}
    with shop.worker("--burst") as worker:
        assert worker.wait() == 0, worker.output
    assert shop.logged("end") == Counter({7: 1, 8: 1})
