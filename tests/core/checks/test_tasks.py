"""Jobs that would never run are found in the source."""

from __future__ import annotations

from pathlib import Path

from fastforge.checks import run_checks
from tests.folder import isolated

TASKS = """
    from fastforge import task

    @task
    async def ship(order_id: int) -> None: ...
    """

ROUTES = """
    from fastapi import APIRouter

    from . import tasks
    from .tasks import ship

    router = APIRouter()

    class Queue:
        def enqueue(self, job): ...

    queue = Queue()

    @router.post("/orders")
    async def place() -> None:
        await ship.enqueue(order_id=1)
        ship.enqueue(order_id=2)
        if queue:
            tasks.ship.enqueue(
                order_id=3,
            )
        queue.enqueue("another library's")
        waiting = ship.enqueue(order_id=4)
        await waiting
        await ship.using(delay=1).using(priority=2).enqueue(order_id=5)
        ship.using(delay=1).using(priority=2).enqueue(order_id=6)
        ship.enqueue_many([])

    @router.get("/orders")
    def show() -> None:
        ship.enqueue(order_id=7)
        ship.using(delay=1).enqueue_sync(order_id=8)
        ship.enqueue_many([])
    """


def test_an_enqueue_that_nobody_awaits_is_found(tmp_path: Path) -> None:
    with isolated(tmp_path) as folder:
        folder.write(
            {
                "shop/settings.py": """
                    from fastforge.tasks import Tasks

                    INSTALLED_APPS = ["shop", "shop.orders"]
                    TASKS = Tasks(backend="memory")
                    """,
                "shop/orders/tasks.py": TASKS,
                "shop/orders/routes.py": ROUTES,
                "shop/orders/notes/broken.py": "no python",
                "shop/orders/node_modules/gyp/tasks.py": TASKS + "    ship.enqueue(order_id=6)",
            }
        )
        messages = [str(message) for message in run_checks(folder.load(), tags=["tasks"])]
    assert len(messages) == 6
    assert "orders/routes.py:16: ship.enqueue(...) is not awaited: no job is made" in messages[0]
    assert "orders/routes.py:18: tasks.ship.enqueue(...) is not awaited" in messages[1]
    assert messages[0].endswith("; write: await ship.enqueue(...)")
    prepared = "ship.using(delay=1).using(priority=2).enqueue"
    assert messages[2].endswith(
        f"{prepared}(...) is not awaited: no job is made; write: await {prepared}(...)"
    )
    assert messages[3].endswith("; write: await ship.enqueue_many(...)")
    assert messages[4].endswith("; write: ship.enqueue_sync(...)")
    assert messages[5].endswith("; write: await ship.enqueue_many(...)")


DEFAULTS = """
    from datetime import datetime
    from typing import Any

    from fastforge import task

    @task
    async def ship(
        order_id: int = "seven",
        at: datetime = datetime(2026, 12, 24),
        mark: Any = object(),
        note: str = "",
        by: datetime | None = None,
    ) -> None: ...
    """


def test_a_default_that_nobody_could_enqueue_is_found(tmp_path: Path) -> None:
    with isolated(tmp_path) as folder:
        folder.write(
            {
                "shop/settings.py": """
                    from fastforge.tasks import Tasks

                    INSTALLED_APPS = ["shop", "shop.orders"]
                    TASKS = Tasks(backend="memory")
                    """,
                "shop/orders/tasks.py": DEFAULTS,
            }
        )
        found = [str(message) for message in run_checks(folder.load(), tags=["tasks"])]
    assert [message.partition(" of the task")[0].rpartition(" ")[2] for message in found] == [
        "at",
        "mark",
        "order_id",
    ]
    assert all("[tasks.W001] " in message and "\n" not in message for message in found)
    assert "should be a valid integer" in found[2]
    assert "timezone" in found[0]
