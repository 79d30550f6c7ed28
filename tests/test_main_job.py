"""The main job, for real: a server that stores rows, a worker in a second process, a command line.

Every step is what a user types; the processes are real, and so are the sockets and databases.
"""

from __future__ import annotations

import json
import sys
import textwrap
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from .commanding import python, start
from .processes import Process, fetch, free_port, wait_until

FILES = {
    "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
    "shop/__init__.py": "",
    "shop/settings.py": """
        from fastforge.conf import App, env
        from fastforge.contrib.db import Database
        from fastforge.tasks.settings import Tasks

        INSTALLED_APPS = [
            "fastforge.contrib.db",
            "fastforge.contrib.jobs",
            App("shop.orders", prefix="/api"),
        ]
        DATABASES = {"default": Database(url=env("DATABASE_URL"))}
        TASKS = Tasks(lease_s=env("LEASE_S", int, default=30))
        """,
    "shop/asgi.py": """
        from fastforge.asgi import get_asgi_application

        app = get_asgi_application(settings_module="shop.settings")
        """,
    "shop/orders/__init__.py": "",
    "shop/orders/models.py": """
        from sqlalchemy.orm import Mapped, mapped_column

        from fastforge.contrib.db import Model

        class Order(Model):
            id: Mapped[int] = mapped_column(primary_key=True)
            note: Mapped[str]
            runs: Mapped[int] = mapped_column(default=0)
            finished: Mapped[int] = mapped_column(default=0)
        """,
    "shop/orders/tasks.py": """
        import asyncio
        from pathlib import Path

        from fastforge import injected, task
        from fastforge.contrib.db import DbSession

        from .models import Order

        @task(timeout_s=120)
        async def ship(order_id: int, *, db: DbSession = injected) -> None:
            async with db.atomic():
                order = await db.get(Order, order_id)
                order.runs += 1
                slow = order.note == "slow" and order.runs == 1
            if slow:
                await asyncio.sleep(100)
            async with db.atomic():
                order = await db.get(Order, order_id)
                order.finished += 1
        """,
    "shop/orders/routes.py": """
        from fastapi import APIRouter, HTTPException
        from fastapi.responses import JSONResponse
        from pydantic import BaseModel
        from sqlalchemy import func, select, text

        from fastforge.contrib.db import DbSession

        from .models import Order
        from .tasks import ship

        router = APIRouter(prefix="/orders")

        class NewOrder(BaseModel):
            note: str

        @router.post("", status_code=201)
        async def place(body: NewOrder, db: DbSession):
            order = Order(note=body.note)
            db.add(order)
            await db.flush()
            await ship.enqueue(order_id=order.id)
            if body.note == "raise":
                raise RuntimeError("after everything")
            if body.note == "http":
                raise HTTPException(409, "no")
            if body.note == "return":
                return JSONResponse({"id": order.id}, status_code=409)
            return {"id": order.id}

        @router.get("")
        async def count(db: DbSession):
            orders = (await db.scalars(select(Order))).all()
            jobs = await db.scalar(text("SELECT count(*) FROM jobs_job"))
            done = await db.scalar(
                text("SELECT count(*) FROM jobs_job WHERE finished_at IS NOT NULL")
            )
            rows = [
                {"id": o.id, "note": o.note, "runs": o.runs, "finished": o.finished}
                for o in orders
            ]
            return {"orders": rows, "jobs": jobs, "done": done}
        """,
}


class Shop:
    """A project in a folder, with its database, and its processes."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.env = {
            "FASTFORGE_ENV": "development",
            "DATABASE_URL": database_url,
            "LEASE_S": "2",
        }
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}/api/orders"

    def manage(self, *arguments: str) -> str:
        done = python(["-m", "fastforge", *arguments], cwd=self.folder, env=self.env)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def server(self) -> Process:
        process = self._start("runserver", str(self.port), "--no-reload", "--no-worker")
        wait_until(lambda: _alive(process) and fetch(self.address), describe=process)
        return process

    def worker(self) -> Process:
        return self._start("runworker")

    def post(self, note: str) -> tuple[int, Any]:
        body = json.dumps({"note": note}).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(self.address, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def state(self) -> Any:
        answer = fetch(self.address)
        assert answer is not None
        return json.loads(answer.body)

    def runs(self) -> tuple[dict[str, tuple[int, int]], int]:
        """How often the job of each order began and ended, and how many are recorded as done.

        A job that ended a moment before its worker is killed, unrecorded, rightly runs again.
        """
        state = self.state()
        return {o["note"]: (o["runs"], o["finished"]) for o in state["orders"]}, state["done"]

    def _argv(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "fastforge", *arguments]

    def _start(self, *arguments: str) -> Process:
        return start(self._argv(*arguments), cwd=self.folder, env=self.env)


def _alive(process: Process) -> bool:
    assert process.alive, str(process)
    return True


@pytest.fixture
def shop(tmp_path: Path, each_database_url: str) -> Shop:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(textwrap.dedent(text).lstrip())
    shop = Shop(tmp_path, each_database_url)
    shop.manage("makemigrations")
    shop.manage("migrate")
    return shop


def test_a_post_stores_a_row_and_a_second_process_runs_its_job(shop: Shop) -> None:
    with shop.server():
        status, body = shop.post("first")
        assert status == 201
        before = shop.state()
        order = {"id": body["id"], "note": "first", "runs": 0, "finished": 0}
        assert before == {"orders": [order], "jobs": 1, "done": 0}
        with shop.worker() as worker:
            wait_until(lambda: shop.runs() == ({"first": (1, 1)}, 1), describe=worker)
            worker.terminate()
            assert worker.wait() == 0


def test_a_rolled_back_request_leaves_neither_row_nor_job(shop: Shop) -> None:
    with shop.server() as server:
        assert shop.post("raise")[0] == 500
        assert shop.post("http")[0] == 409
        assert shop.post("return")[0] == 409
        assert shop.state() == {"orders": [], "jobs": 0, "done": 0}
        assert "after everything" in server.output


def test_rows_and_jobs_survive_kill_9_of_the_server_and_of_the_worker(shop: Shop) -> None:
    with shop.server() as server:
        assert shop.post("slow")[0] == 201
        assert shop.post("quick")[0] == 201
        server.kill()
        server.wait()
    with shop.server():
        assert len(shop.state()["orders"]) == 2
        with shop.worker() as worker:
            one_is_done = {"slow": (1, 0), "quick": (1, 1)}, 1
            wait_until(lambda: shop.runs() == one_is_done, describe=worker)
            worker.kill()
            worker.wait()
        with shop.worker() as worker:
            both_are_done = {"slow": (2, 1), "quick": (1, 1)}, 2
            wait_until(lambda: shop.runs() == both_are_done, describe=worker)
            worker.terminate()
            assert worker.wait() == 0
