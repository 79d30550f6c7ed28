"""How long a command may take, and how many connections there are: nothing waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from typing import Any

import pytest
from redis import exceptions

from fastforge.contrib.redis import Redis, open_client
from fastforge.contrib.redis.connections import Limited
from fastforge.contrib.redis.errors import NoFreeConnection
from fastforge.contrib.redis.library import Client
from fastforge.test.proxy import Proxy
from tests.processes import wait_until_async

Opens = Callable[..., Client]


@pytest.fixture
async def opens() -> AsyncIterator[Opens]:
    """Opens clients, and closes them in the end."""
    clients: list[Client] = []

    def opens(url: str, **options: object) -> Client:
        clients.append(open_client(Redis.model_validate({"url": url, **options})))
        return clients[-1]

    yield opens
    for client in clients:
        await client.aclose()


@pytest.fixture
def proxy(redis_url: str) -> Iterator[Proxy]:
    with Proxy(redis_url) as proxy:
        yield proxy


# --- time ---


async def test_an_answer_that_is_late_is_never_taken_for_that_of_the_next_command(
    opens: Opens, proxy: Proxy
) -> None:
    client = opens(proxy.url, read_timeout_s=0.3)
    await client.set("old", "old")
    await client.set("new", "new")
    before = await client.client_id()
    proxy.slow(latency_s=0.5)
    with pytest.raises(exceptions.TimeoutError, match=r"within 0\.3 s"):
        await client.get("old")
    proxy.heal()
    assert await client.get("new") == b"new"
    assert await client.client_id() != before


async def test_a_write_that_nobody_takes_is_given_up(opens: Opens, proxy: Proxy) -> None:
    client = opens(proxy.url, read_timeout_s=0.3)
    await client.ping()
    proxy.blackhole()
    with pytest.raises(exceptions.TimeoutError):
        await client.set("much", b"x" * 50_000_000)
    proxy.heal()
    assert await client.exists("much") == 0


async def test_a_new_connection_that_is_not_answered_is_given_up(
    opens: Opens, proxy: Proxy
) -> None:
    proxy.blackhole()
    client = opens(proxy.url, read_timeout_s=0.3, connect_timeout_s=0.3)
    with pytest.raises(exceptions.RedisError):
        await client.ping()
    proxy.heal()
    assert await client.ping()


async def test_many_commands_at_once_are_all_given_up_and_leave_no_connection(
    opens: Opens, proxy: Proxy
) -> None:
    client = opens(proxy.url, read_timeout_s=0.3, max_connections=5)
    await asyncio.gather(*(client.ping() for _ in range(5)))
    proxy.blackhole()
    ends = await asyncio.gather(*(client.ping() for _ in range(20)), return_exceptions=True)
    assert all(isinstance(end, exceptions.RedisError) for end in ends)
    proxy.heal()
    assert await asyncio.gather(*(client.ping() for _ in range(20)))


async def test_a_caller_that_gives_up_first_takes_its_connection_along(
    opens: Opens, redis_url: str
) -> None:
    client = opens(redis_url, read_timeout_s=30, max_connections=1)
    before = await client.client_id()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await client.blpop(["nothing"], timeout=20)
    await client.rpush("nothing", "late")
    assert await client.client_id() != before
    assert await client.lpop("nothing") == b"late"


async def test_commands_make_no_tasks_and_hardly_any_timers(
    opens: Opens, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = opens(redis_url, read_timeout_s=30)
    await client.ping()
    loop = asyncio.get_running_loop()
    made: list[str] = []

    def counted(name: str) -> Callable[..., Any]:
        original = getattr(loop, name)

        def count(*args: Any, **kwargs: Any) -> Any:
            made.append(name)
            return original(*args, **kwargs)

        return count

    for name in ("create_task", "call_at"):
        monkeypatch.setattr(loop, name, counted(name))
    for _ in range(100):
        await client.ping()
    assert made == []


async def test_a_subscription_waits_for_longer_than_an_answer_may_take(
    opens: Opens, redis_url: str
) -> None:
    client = opens(redis_url, read_timeout_s=0.2)
    pubsub = client.pubsub()
    async with aclosing(pubsub):
        await pubsub.subscribe("news")

        async def heard() -> object:
            async for message in pubsub.listen():
                if message["type"] == "message":
                    return message["data"]
            return None

        hearing = asyncio.create_task(heard())
        await asyncio.wait({hearing}, timeout=0.5)
        assert not hearing.done()
        await client.publish("news", "at last")
        assert await hearing == b"at last"


async def test_a_server_that_has_closed_an_idle_connection_costs_no_error(
    opens: Opens, redis_url: str
) -> None:
    client = opens(redis_url)
    await client.ping()
    killer = opens(redis_url)
    await killer.client_kill_filter(_type="normal", skipme=True)
    await client.set("n", 1)
    assert await client.get("n") == b"1"


# --- number ---


async def test_whoever_waits_too_long_for_a_connection_is_told_what_to_raise(
    opens: Opens, redis_url: str
) -> None:
    client = opens(redis_url, read_timeout_s=0.3, max_connections=2)
    pool: Any = client.connection_pool
    held = [await pool.get_connection() for _ in range(2)]
    with pytest.raises(NoFreeConnection) as caught:
        await client.ping()
    assert isinstance(caught.value, exceptions.ConnectionError)
    assert str(caught.value) == (
        "[redis.E002] all 2 connections to Redis are in use, and none was free within 0.3 s; raise"
        " REDIS.max_connections; a command or subscription that waits for long takes a client of"
        " its own: open_client(config, max_connections=1)"
    )
    await pool.release(held.pop())
    assert await client.ping()
    await pool.release(held.pop())


async def test_who_waits_is_served_in_turn_and_who_gives_up_takes_no_place(
    opens: Opens, redis_url: str
) -> None:
    client = opens(redis_url, read_timeout_s=30, max_connections=1)
    pool: Any = client.connection_pool
    held = await pool.get_connection()
    order: list[int] = []

    async def ping(number: int) -> None:
        await client.ping()
        order.append(number)

    waiting = [asyncio.create_task(ping(number)) for number in range(4)]
    await asyncio.sleep(0)
    waiting[1].cancel()
    await pool.release(held)
    await asyncio.gather(*waiting, return_exceptions=True)
    assert order == [0, 2, 3]


async def test_what_cannot_connect_keeps_no_place(opens: Opens, proxy: Proxy) -> None:
    client = opens(proxy.url, max_connections=1)
    proxy.refuse()
    for _ in range(3):
        with pytest.raises(exceptions.ConnectionError):
            await client.ping()
    proxy.heal()
    assert await client.ping()


async def test_an_answer_that_nobody_has_read_costs_the_connection(
    opens: Opens, redis_url: str
) -> None:
    client = opens(redis_url, max_connections=1)
    pool: Any = client.connection_pool
    connection: Limited = await pool.get_connection()
    assert connection.is_clean
    await connection.send_command("SET", "n", 1)
    await wait_until_async(lambda: not connection.is_clean)
    await pool.release(connection)
    assert await client.get("n") == b"1"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("ä", "ä".encode()),
        (b"\r\n$3\r\n", b"\r\n$3\r\n"),
        (1.5, b"1.5"),
        (7, b"7"),
        (memoryview(b"seen"), b"seen"),
        ("", b""),
        (b"x" * 1_000_000, b"x" * 1_000_000),
    ],
)
async def test_every_value_arrives_as_redis_py_sends_it(
    opens: Opens, redis_url: str, value: object, kept: bytes
) -> None:
    client = opens(redis_url)
    await client.execute_command("SET", "value", value)
    assert await client.get("value") == kept
    assert await client.execute_command("CONFIG GET", "maxmemory")


@pytest.mark.parametrize("value", [None, True])
async def test_what_redis_py_refuses_is_refused(
    opens: Opens, redis_url: str, value: object
) -> None:
    with pytest.raises(exceptions.DataError):
        await opens(redis_url).execute_command("SET", "value", value)
