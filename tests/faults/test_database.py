"""F9 to F12: the database fails while a project serves."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.conftest import with_driver
from tests.processes import wait_until

from .conftest import Shop


@pytest.fixture
def table(postgres_url: str) -> None:
    with psycopg.connect(with_driver(postgres_url, ""), autocommit=True) as admin:
        admin.execute("CREATE TABLE kept (name text)")


def test_f9_connections_that_are_reset_while_idle_cost_no_request(shop: Shop) -> None:
    for _ in range(3):
        assert shop.get("/db").status_code == 200
        shop.database.reset()
    assert shop.get("/db").status_code == 200


@pytest.mark.usefixtures("table")
def test_f10_a_reset_in_mid_transaction_fails_that_request_once(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    with ThreadPoolExecutor(1) as pool:
        half = pool.submit(shop.post, "/halves/lost")
        wait_until(lambda: shop.get("/held").json())
        shop.database.reset()
        shop.post("/go-on")
        answer = half.result()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["code"] == "db.E055"
    lines = [each for each in caplog.records if "db.E055" in each.getMessage()]
    assert len(lines) == 1
    assert shop.post("/rows/kept").status_code == 200
    assert shop.get("/rows").json() == ["kept"]
    assert shop.get("/out").json() == 0


def test_f11_a_silent_database_ends_requests_at_their_deadline_and_spares_the_others(
    shop: Shop,
) -> None:
    assert shop.get("/db").status_code == 200
    shop.database.blackhole()
    began = time.monotonic()
    with ThreadPoolExecutor(6) as pool:
        waiting = [pool.submit(shop.get, "/db") for _ in range(6)]
        assert all(shop.get("/fast").status_code == 200 for _ in range(20))
        answers = [each.result() for each in waiting]
    assert {each.status_code for each in answers} <= {503, 504}
    assert time.monotonic() - began < 15, "the deadline is 1.5 s, on a busy machine"
    assert shop.get("/readyz").status_code == 503
    shop.database.heal()
    shop.wait_until_ok("/db")
    shop.wait_until_ok("/readyz")
    wait_until(lambda: shop.get("/out").json() == 0)


def test_f12_an_exhausted_pool_is_503_within_its_limit(shop: Shop) -> None:
    with ThreadPoolExecutor(2) as pool:
        slow = [pool.submit(shop.get, "/slow/1.2") for _ in range(2)]
        wait_until(lambda: shop.get("/out").json() == 2)
        answer = shop.get("/db")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.json()["code"] == "db.E007"
        assert [each.result().status_code for each in slow] == [200, 200]
    assert shop.get("/db").status_code == 200
