"""F14 to F17: Redis fails while a project serves, and the project can do without it."""

from __future__ import annotations

import logging
import time
from collections import Counter

import pytest
import redis as redis_py

from tests.processes import wait_until

from .conftest import Shop

FAILURES = 5


def lines_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.name == "fastforge.lifecycle"]


def remember(url: str, users: int) -> None:
    """Put something of each user into Redis, as long as its name makes it."""
    with redis_py.Redis.from_url(url) as admin:
        for user in range(users):
            admin.set(f"user:{user}", f"{user}-" * (20 + user))


@pytest.mark.parametrize("fault", ["refused", "blackholed", "slow"], ids=["f14", "f15", "f16"])
def test_f14_f15_f16_requests_go_on_and_soon_wait_for_nothing(
    shop: Shop, redis_url: str, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    caplog.set_level(logging.INFO, "fastforge")
    remember(redis_url, 1)
    assert shop.get("/cached/0").json()["from"] == "cache"
    if fault == "refused":
        shop.redis.refuse()
        shop.redis.reset()
    elif fault == "blackholed":
        shop.redis.blackhole()
    else:
        shop.redis.slow(latency_s=2)
    began = time.monotonic()
    answers = [shop.get("/cached/0") for _ in range(60)]
    assert {each.status_code for each in answers} == {200}
    assert {each.json()["from"] for each in answers} == {"db"}
    # Without a breaker each would wait: 60 x 0.2 s, also where a machine takes no time itself.
    waited = 60 - shop.breaker["refused"]
    assert FAILURES <= waited <= FAILURES + 8
    assert len(lines_of(caplog)) == 1
    assert time.monotonic() - began < 30
    ready = shop.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "warn")
    assert shop.get("/needed/0").status_code == 503
    shop.redis.heal()
    wait_until(lambda: shop.get("/cached/0").json()["from"] == "cache")
    assert len(lines_of(caplog)) == 2
    assert shop.breaker["state"] == "closed"


def test_f17_an_answer_that_is_cut_is_nobody_elses(shop: Shop, redis_url: str) -> None:
    """Whatever byte an answer ends at, a request has its own user's data or none."""
    users = 8
    remember(redis_url, users)
    found: Counter[str] = Counter()
    for count in range(0, 140, 3):
        shop.redis.cut_after(count)
        for _ in range(2):
            user = count % users
            answer = shop.get(f"/cached/{user}")
            assert answer.status_code == 200
            name = answer.json()["name"]
            assert name in (f"{user}-" * (20 + user), str(user))
            found[answer.json()["from"]] += 1
        shop.redis.heal()
        shop.redis.reset()
    assert found["db"] > 10
    wait_until(lambda: shop.get("/cached/1").json()["from"] == "cache")
    for user in range(users):
        assert shop.get(f"/cached/{user}").json()["name"] == f"{user}-" * (20 + user)
