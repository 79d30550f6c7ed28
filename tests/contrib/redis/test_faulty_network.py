"""A network that fails again and again while rooms come and go: what is wanted is heard in the end.

And nothing else is: the server knows of no subscription that nobody wants.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import Any

import pytest
import redis

from fastforge.channels import ChannelUnavailable
from fastforge.contrib.redis import Redis
from fastforge.test.proxy import Proxy
from tests.processes import wait_until_async

from .test_channels import Process, name_of, process, publish

ROOMS = [f"r{number}" for number in range(8)]
FAULTS = ("reset", "refuse", "blackhole", "heal", "heal", "cut", "kill")


async def churn(one: Process, wanted: set[str], chance: random.Random, is_over: Any) -> None:
    """Join rooms and leave them, as clients do."""
    while not is_over.is_set():
        room = chance.choice(ROOMS)
        if room in wanted:
            wanted.discard(room)
            one.broker.unsubscribe(room)
        else:
            with suppress(ChannelUnavailable):
                await one.broker.subscribe(room)
                wanted.add(room)
        await asyncio.sleep(chance.random() * 0.01)


async def inject(proxy: Proxy, url: str, chance: random.Random, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while loop.time() < until:
        fault = chance.choice(FAULTS)
        if fault == "kill":
            with redis.Redis.from_url(url) as admin:
                admin.client_kill_filter(_type="pubsub")
        elif fault == "cut":
            proxy.cut_after(chance.randrange(200))
        else:
            getattr(proxy, fault)()
        await asyncio.sleep(chance.random() * 0.2)
    proxy.heal()
    proxy.reset()


@pytest.mark.parametrize(
    ("seed", "seconds"),
    [(1, 2.0), *(pytest.param(seed, 10.0, marks=pytest.mark.long) for seed in range(2, 8))],
)
async def test_in_the_end_what_is_wanted_is_heard_and_nothing_else(
    redis_url: str, seed: int, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastforge.contrib.redis.subscription.PING_S", 0.1)
    monkeypatch.setattr("fastforge.contrib.redis.channels.WAIT_S", 0.2)
    chance, wanted, is_over = random.Random(seed), set[str](), asyncio.Event()
    with Proxy(redis_url) as proxy:
        config = Redis(url=proxy.url, read_timeout_s=0.2, connect_timeout_s=0.2)
        async with process(proxy.url, config=config) as one, process(redis_url) as other:
            churning = asyncio.create_task(churn(one, wanted, chance, is_over))
            await inject(proxy, redis_url, random.Random(seed), seconds)
            is_over.set()
            await churning

            async def are_heard() -> bool:
                """Whether all are: what is said before the last fault is noticed may be missed."""
                one.got.clear()
                for room in ROOMS:
                    await publish(other, room.encode(), room=room)
                await asyncio.sleep(0.1)
                return {each.name for each in one.got} >= wanted

            await wait_until_async(are_heard)
            names = {room: name_of(redis_url, room) for room in ROOMS}

            def is_exact() -> bool:
                with redis.Redis.from_url(redis_url) as admin:
                    found: Any = admin.pubsub_numsub(*names.values())
                return dict(found) == {name: room in wanted for room, name in names.items()}

            await wait_until_async(is_exact)
            assert await are_heard()
            assert {each.name for each in one.got} == wanted
            assert one.broker.subscription.is_connected
