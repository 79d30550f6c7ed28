"""The long series: services come and go under load, and a process needs no restart."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter

import httpx
import pytest

from tests.processes import wait_until

from .conftest import Shop

TIMES = 10
CLIENTS = 4


@pytest.mark.long
@pytest.mark.parametrize("fault", ["refuse", "blackhole"])
def test_a_redis_that_comes_and_goes_costs_no_request(
    shop: Shop, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    caplog.set_level(logging.INFO, "fastforge.lifecycle")
    answers: Counter[int] = Counter()
    is_over = threading.Event()

    def ask() -> None:
        with httpx.Client(timeout=30) as http:
            while not is_over.is_set():
                answers[http.get(f"{shop.url}/cached/1").status_code] += 1

    clients = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        for _ in range(TIMES):
            getattr(shop.redis, fault)()
            shop.redis.reset()
            wait_until(lambda: shop.breaker["state"] != "closed")
            time.sleep(1)
            shop.redis.heal()
            wait_until(lambda: shop.breaker["state"] == "closed")
    finally:
        is_over.set()
        for client in clients:
            client.join()
    assert set(answers) == {200}
    assert answers[200] > 100
    assert len([each for each in caplog.messages if "'redis' is open" in each]) == TIMES
    assert len([each for each in caplog.messages if "'redis' is closed" in each]) == TIMES
    assert shop.get("/out").json() == 0
    assert shop.redis.open_connections <= 50


@pytest.mark.long
@pytest.mark.parametrize("fault", ["refuse", "blackhole"])
def test_a_database_that_comes_and_goes_leaves_nothing_behind(shop: Shop, fault: str) -> None:
    answers: Counter[int] = Counter()
    for _ in range(TIMES):
        getattr(shop.database, fault)()
        shop.database.reset()
        for _ in range(3):
            answers[shop.get("/db").status_code] += 1
        assert shop.get("/fast").status_code == 200
        shop.database.heal()
        shop.wait_until_ok("/db")
        shop.wait_until_ok("/readyz")
    assert set(answers) <= {503, 504}
    wait_until(lambda: shop.get("/out").json() == 0)
