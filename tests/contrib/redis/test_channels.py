"""Channels in Redis: what is published reaches every process, and comes back when Redis does."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

from fastforge.channels import ChannelUnavailable
from fastforge.channels.carrying.broker import Envelope, Kept
from fastforge.contrib.redis import Redis, open_client
from fastforge.contrib.redis.channels import RedisBroker
from fastforge.lifecycle import Breaker
from fastforge.observability.context import connection_id
from fastforge.test.proxy import Proxy
from tests import services
from tests.processes import wait_until_async

KEPT = Kept(3, 60)


def name_of(url: str, room: str) -> bytes:
    """What messages of a room are published as."""
    return f"shop:{urlsplit(url).path.strip('/')}:r:{room}".encode()


def subscribers(url: str, *rooms: str) -> list[int]:
    """How many connections hear each of some rooms."""
    with redis.Redis.from_url(url) as admin:
        found: Any = admin.pubsub_numsub(*(name_of(url, room) for room in rooms))
    return [count for _, count in found]


class Process:
    """What one process has: a broker, and what has come in."""

    def __init__(self, broker: RedisBroker) -> None:
        self.broker = broker
        self.got: list[Envelope] = []
        self.missed = 0
        self.changed: list[str] = []
        broker.attach(self.got.append, self._missed, self.changed.append)

    def _missed(self) -> None:
        self.missed += 1

    @property
    def texts(self) -> list[bytes]:
        return [each.data for each in self.got]


@asynccontextmanager
async def process(
    url: str, prefix: str = "shop:", *, config: Redis | None = None, retries: int = 0
) -> AsyncIterator[Process]:
    config = config or Redis(url=url)
    client, own = open_client(config, retries=retries), open_client(config, retries=0)
    breaker = Breaker("channels", opens_after=1, first_pause_s=0.05, longest_pause_s=1)
    connect: Any = own.connection_pool.make_connection
    broker = RedisBroker(client, connect, prefix=prefix, breaker=breaker)
    try:
        yield Process(broker)
    finally:
        await broker.subscription.close()
        await client.aclose()
        await own.aclose()


async def publish(one: Process, text: bytes, room: str = "a", kept: Kept | None = None) -> int:
    return await one.broker.publish(room, text, exclude="", kept=kept)


async def test_what_is_published_comes_in_in_every_process_in_order(redis_url: str) -> None:
    async with process(redis_url) as one, process(redis_url) as other:
        for each in (one, other):
            await each.broker.subscribe("a")
        ids = [await publish(one, b"%d x" % number) for number in range(5)]
        await one.broker.publish("a", b"last", exclude="c1", kept=None)
        await publish(one, b"elsewhere", room="b")
        for each in (one, other):
            await wait_until_async(lambda each=each: len(each.got) == 6)
            assert each.texts == [b"0 x", b"1 x", b"2 x", b"3 x", b"4 x", b"last"]
            assert [envelope.id for envelope in each.got][:5] == ids == sorted(set(ids))
            assert each.got[5].exclude == "c1"
        assert max(ids) < 2**53  # JavaScript counts no further


async def test_projects_that_share_a_server_hear_nothing_of_each_other(redis_url: str) -> None:
    async with process(redis_url) as one, process(redis_url, "other:") as other:
        await one.broker.subscribe("a")
        await other.broker.subscribe("a")
        await publish(one, b"x")
        await wait_until_async(lambda: one.texts == [b"x"])
        assert other.got == []


async def test_whoever_has_left_hears_nothing_and_costs_nothing(redis_url: str) -> None:
    async with process(redis_url) as one:
        await one.broker.subscribe("a")
        one.broker.unsubscribe("a")
        await wait_until_async(lambda: subscribers(redis_url, "a") == [0])
        await one.broker.subscribe("a")
        await publish(one, b"x")
        await wait_until_async(lambda: one.texts == [b"x"])


async def test_a_past_is_bounded_and_what_is_gone_is_known(redis_url: str) -> None:
    async with process(redis_url) as one:
        start = await one.broker.recall("a", after=None, epoch="", kept=KEPT)
        ids = [await publish(one, b"%d" % number, kept=KEPT) for number in range(5)]

        async def since(after: int, epoch: str = start.epoch) -> tuple[list[bytes], bool]:
            found = await one.broker.recall("a", after=after, epoch=epoch, kept=KEPT)
            return [each.data for each in found.messages], found.is_complete

        assert await since(ids[1]) == ([b"2", b"3", b"4"], True)
        assert await since(ids[0]) == ([b"2", b"3", b"4"], False)
        assert (await since(start.last_id))[1] is False
        assert await since(ids[4]) == ([], True)
        assert await since(ids[4], "another") == ([], False)
        assert await since(2**53 - 1) == ([], False)


async def test_a_quiet_room_is_recovered_whole_as_long_as_a_past_would_last(
    redis_url: str,
) -> None:
    async with process(redis_url) as one:
        start = await one.broker.recall("a", after=None, epoch="", kept=KEPT)
        again = await one.broker.recall("a", after=start.last_id, epoch=start.epoch, kept=KEPT)
        assert again.is_complete
        await publish(one, b"first", kept=KEPT)
        again = await one.broker.recall("a", after=start.last_id, epoch=start.epoch, kept=KEPT)
        assert ([each.data for each in again.messages], again.is_complete) == ([b"first"], True)
        brief = Kept(3, 0.05)
        await publish(one, b"lost", room="b", kept=brief)
        await asyncio.sleep(0.1)
        late = await one.broker.recall("b", after=start.last_id, epoch=start.epoch, kept=brief)
        assert not late.is_complete
        await publish(one, b"found", room="b", kept=brief)
        late = await one.broker.recall("b", after=start.last_id, epoch=start.epoch, kept=brief)
        assert not late.is_complete


async def test_a_server_that_has_forgotten_begins_another_epoch(redis_url: str) -> None:
    async with process(redis_url) as one:
        before = await publish(one, b"x", kept=KEPT)
        start = await one.broker.recall("a", after=None, epoch="", kept=KEPT)
        with redis.Redis.from_url(redis_url) as admin:
            admin.flushdb()
        again = await one.broker.recall("a", after=before, epoch=start.epoch, kept=KEPT)
        assert again.epoch != start.epoch
        assert not again.is_complete


async def test_a_connection_that_was_cut_is_replaced_and_what_was_missed_is_told_of(
    redis_url: str,
) -> None:
    with Proxy(redis_url) as proxy:
        async with process(proxy.url) as one, process(redis_url) as other:
            await one.broker.subscribe("a")
            await one.broker.subscribe("b")
            proxy.refuse()
            proxy.reset()
            await wait_until_async(lambda: not one.broker.subscription.is_connected)
            await publish(other, b"missed")
            with pytest.raises(ChannelUnavailable, match=r"channels\.E022"):
                await publish(one, b"x")
            with pytest.raises(ChannelUnavailable, match=r"channels\.E022"):
                await one.broker.subscribe("c")
            proxy.heal()
            await wait_until_async(lambda: one.missed == 1)
            await publish(other, b"heard")
            await publish(other, b"heard too", room="b")
            await wait_until_async(lambda: one.texts == [b"heard", b"heard too"])
            assert one.broker.subscription.reconnects == 1


async def test_no_subscription_stays_that_nobody_wants(redis_url: str) -> None:
    """One that is given back while its connection is killed comes back with others."""
    with redis.Redis.from_url(redis_url) as admin:
        async with process(redis_url) as one:
            await one.broker.subscribe("a")
            await one.broker.subscribe("b")
            one.broker.unsubscribe("a")
            admin.client_kill_filter(_type="pubsub")
            await wait_until_async(lambda: one.broker.subscription.reconnects == 1)
            await wait_until_async(lambda: subscribers(redis_url, "a", "b") == [0, 1])


async def test_what_is_no_message_of_ours_ends_nothing(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever may write to the server may publish anything; the others are heard all the same."""
    async with process(redis_url) as one:
        await one.broker.subscribe("a")
        with redis.Redis.from_url(redis_url) as admin:
            for content in (b"", b"hello", b"one two three", b"1 \xff x"):
                admin.publish(name_of(redis_url, "a").decode(), content)
        await publish(one, b"x")
        await wait_until_async(lambda: one.texts == [b"x"])
    told = [each.getMessage() for each in caplog.records if each.name == "fastforge.channels"]
    assert len(told) == 4
    assert "cannot be delivered" in told[0]


async def test_what_is_heard_is_not_the_work_of_whoever_was_the_first_to_join(
    redis_url: str,
) -> None:
    async with process(redis_url) as one:
        found: list[str | None] = []
        one.broker.attach(lambda _: found.append(connection_id.get()), one._missed, found.append)
        token = connection_id.set("c1")
        await one.broker.subscribe("a")
        await publish(one, b"x")
        connection_id.reset(token)
        await wait_until_async(lambda: found == [None])


async def test_a_delivery_that_fails_ends_nothing(redis_url: str) -> None:
    async with process(redis_url) as one:

        def deliver(envelope: Envelope) -> None:
            if envelope.data == b"bad":
                raise RuntimeError("a fault of ours")
            one.got.append(envelope)

        one.broker.attach(deliver, one._missed, one.changed.append)
        await one.broker.subscribe("a")
        await publish(one, b"bad")
        await publish(one, b"x")
        await wait_until_async(lambda: one.texts == [b"x"])


async def test_a_room_that_is_left_while_all_are_asked_for_anew_holds_up_nobody(
    redis_url: str,
) -> None:
    """What was missed is told of once all that is wanted is heard: the others are, by then."""
    async with process(redis_url) as one:
        for room in ("a", "b"):
            await one.broker.subscribe(room)
        subscription = one.broker.subscription
        confirm = subscription._confirm

        def left_meanwhile(name: bytes) -> None:
            if name == name_of(redis_url, "b"):
                subscription.remove(name)
            confirm(name)

        subscription._confirm = left_meanwhile  # type: ignore[method-assign]
        with redis.Redis.from_url(redis_url) as admin:
            admin.client_kill_filter(_type="pubsub")
        await wait_until_async(lambda: one.missed == 1)
        assert subscription.is_connected


async def test_what_comes_in_before_all_is_heard_again_does_not_hide_what_was_missed(
    redis_url: str,
) -> None:
    """A room that has got a later message would ask for what came after that, and miss the rest."""
    async with process(redis_url) as one:
        told: list[bytes] = []
        one.broker.attach(
            lambda envelope: told.append(envelope.data), lambda: told.append(b"missed"), print
        )
        for room in ("a", "b"):
            await one.broker.subscribe(room)
        subscription, a = one.broker.subscription, name_of(redis_url, "a")
        confirm = subscription._confirm

        def said_at_once(name: bytes) -> None:
            confirm(name)
            if name == a:  # and b is not confirmed yet
                subscription._take([b"message", a, b"7 - early"])

        subscription._confirm = said_at_once  # type: ignore[method-assign]
        with redis.Redis.from_url(redis_url) as admin:
            admin.client_kill_filter(_type="pubsub")
        await wait_until_async(lambda: told == [b"missed", b"early"])


async def test_whoever_gives_up_before_a_room_was_asked_for_holds_up_nobody(
    redis_url: str,
) -> None:
    async with process(redis_url) as one:
        await one.broker.subscribe("a")
        subscription, b = one.broker.subscription, name_of(redis_url, "b")
        confirm = subscription._confirm

        def asked_for_meanwhile(name: bytes) -> None:
            subscription._wanted[b] = asyncio.get_running_loop().create_future()
            confirm(name)

        subscription._confirm = asked_for_meanwhile  # type: ignore[method-assign]
        with redis.Redis.from_url(redis_url) as admin:
            admin.client_kill_filter(_type="pubsub")
        await wait_until_async(lambda: b in subscription._wanted)
        assert (one.missed, subscription.is_connected) == (0, False)
        one.broker.unsubscribe("b")
        assert (one.missed, subscription.is_connected) == (1, True)


async def test_projects_in_databases_of_one_server_hear_nothing_of_each_other(
    redis_url: str,
) -> None:
    """The server itself has one space of names for what is published, whatever the database."""
    server, _, number = redis_url.rpartition("/")
    other_url = f"{server}/{(int(number) + 8) % 16}"
    async with process(redis_url) as one, process(other_url) as other:
        await one.broker.subscribe("a")
        await other.broker.subscribe("a")
        await publish(one, b"x")
        await publish(other, b"y")
        await wait_until_async(lambda: one.texts + other.texts == [b"x", b"y"])


@pytest.fixture
def server() -> Iterator[services.Server]:
    """A server that a test may stop."""
    server = services.start("redis")
    yield server
    server.close()


async def test_a_server_that_is_frozen_is_left_and_heard_again(
    server: services.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastforge.contrib.redis.subscription.PING_S", 0.1)
    async with process(server.url) as one:
        await one.broker.subscribe("a")
        os.kill(server.pid, signal.SIGSTOP)
        try:
            await wait_until_async(lambda: not one.broker.subscription.is_connected)
        finally:
            os.kill(server.pid, signal.SIGCONT)
        await wait_until_async(lambda: one.broker.subscription.is_connected)
        await publish(one, b"x")
        await wait_until_async(lambda: one.texts == [b"x"])


async def test_what_was_not_answered_in_time_is_not_said_to_be_unpublished(
    redis_url: str,
) -> None:
    """A server that was frozen does what it was asked for when it goes on."""
    with Proxy(redis_url) as proxy:
        config = Redis(url=proxy.url, read_timeout_s=0.1)
        async with process(redis_url) as one, process(proxy.url, config=config) as other:
            await one.broker.subscribe("a")
            await publish(other, b"x")
            proxy.slow(latency_s=0.3)
            with pytest.raises(ChannelUnavailable, match="it may be published all the same"):
                await publish(other, b"y")
            await wait_until_async(lambda: one.texts == [b"x", b"y"])


async def test_what_loses_its_answer_is_published_once(redis_url: str) -> None:
    """redis-py 6 and newer send a command again whose connection broke under it."""
    with Proxy(redis_url) as proxy:
        async with process(redis_url) as one, process(proxy.url, retries=2) as other:
            await one.broker.subscribe("a")
            await publish(other, b"first")
            proxy.cut_after(1)
            publishing = asyncio.create_task(publish(other, b"x", kept=KEPT))
            await wait_until_async(lambda: b"x" in one.texts)
            proxy.heal()
            with suppress(ChannelUnavailable):
                await publishing
            await publish(one, b"last")
            await wait_until_async(lambda: b"last" in one.texts)
            assert one.texts == [b"first", b"x", b"last"]


async def test_a_user_that_may_not_hear_or_publish_is_told_what_it_lacks(
    server: services.Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Since Redis 7 that is so of every new user; what is not given to anybody is not kept."""
    monkeypatch.setattr("fastforge.contrib.redis.channels.WAIT_S", 0.2)
    with redis.Redis.from_url(server.url) as admin:
        admin.acl_setuser("shop", enabled=True, passwords=["+pw"], keys=["*"], categories=["+@all"])
        url = server.url.replace("//", "//shop:pw@")
        async with process(url) as one:
            for refused in (one.broker.subscribe("a"), publish(one, b"x", kept=KEPT)):
                with pytest.raises(ChannelUnavailable, match=r"channels\.E023.*&shop:\*") as told:
                    await refused
                assert "pw" not in str(told.value)
            admin.execute_command("ACL", "SETUSER", "shop", "&shop:*")
            await wait_until_async(lambda: one.broker.subscription.is_connected)
            await one.broker.subscribe("a")
            await publish(one, b"y", kept=KEPT)
            await wait_until_async(lambda: one.texts == [b"y"])
            start = await one.broker.recall("a", after=1, epoch="", kept=KEPT)
            found = await one.broker.recall("a", after=1, epoch=start.epoch, kept=KEPT)
            assert [each.data for each in found.messages] == [b"y"]
    assert len([each for each in caplog.messages if "'channels' is open" in each]) == 1


async def test_a_thousand_rooms_are_heard_again_by_a_few_commands(redis_url: str) -> None:
    async with process(redis_url) as one:
        await asyncio.gather(*(one.broker.subscribe(f"r{number}") for number in range(1000)))
        with redis.Redis.from_url(redis_url) as admin:
            admin.client_kill_filter(_type="pubsub")
            await wait_until_async(lambda: one.broker.subscription.reconnects == 1)
            await publish(one, b"x", room="r999")
            await wait_until_async(lambda: one.texts == [b"x"])


async def test_who_is_there_is_known_to_every_process_once(redis_url: str) -> None:
    async with process(redis_url) as one, process(redis_url) as other:
        await other.broker.subscribe("a")
        await one.broker.enter("a", "u:1", b'{"id":1}')
        await other.broker.enter("a", "u:1", b'{"id":1}')
        await other.broker.enter("a", "u:2", b"{}")
        for each in (one, other):
            assert await each.broker.present("a") == {"u:1": b'{"id":1}', "u:2": b"{}"}
        await one.broker.leave("a", "u:1")
        assert "u:1" in await one.broker.present("a")
        await other.broker.leave("a", "u:1")
        assert await one.broker.present("a") == {"u:2": b"{}"}
        await wait_until_async(lambda: other.changed == ["a"] * 5)


async def test_whoever_was_with_a_process_that_died_is_gone(redis_url: str) -> None:
    async with process(redis_url) as one, process(redis_url) as other:
        await one.broker.enter("a", "u:1", b"{}")
        await other.broker.enter("a", "u:2", b"{}")
        with redis.Redis.from_url(redis_url) as admin:
            admin.delete(other.broker._lease(other.broker._process))
            assert await one.broker.present("a") == {"u:1": b"{}"}
            admin.flushdb()
        await one.broker.renew({"a": ["u:1"]})
        assert await other.broker.present("a") == {"u:1": b"{}"}


async def test_what_is_published_after_somebody_joined_has_a_larger_id_whatever_the_clock(
    redis_url: str,
) -> None:
    """What is not larger than where a client joined is taken for known, and not given to them."""
    async with process(redis_url) as one:
        ahead = (2**53 - 2) // 4096 * 4096
        with redis.Redis.from_url(redis_url) as admin:
            joined = await one.broker.recall("a", after=None, epoch="", kept=KEPT)
            assert admin.hget("shop:meta", "id") == b"%d" % joined.last_id
            # As if the clock had been ahead by years when somebody joined, and was set back since.
            admin.hset("shop:meta", "id", str(ahead))
        joined = await one.broker.recall("a", after=None, epoch="", kept=KEPT)
        assert joined.last_id == ahead
        assert await publish(one, b"x", kept=KEPT) > joined.last_id


async def test_whoever_went_while_redis_was_away_is_gone_from_the_renewal_on(
    redis_url: str,
) -> None:
    """They were shown for as long as the process lived that they had been with."""
    with Proxy(redis_url) as proxy:
        async with process(proxy.url) as one, process(redis_url) as other:
            await one.broker.enter("a", "u:1", b"{}")
            await one.broker.enter("a", "u:2", b"{}")
            proxy.refuse()
            proxy.reset()
            for key in ("u:1", "u:2"):
                with pytest.raises(ChannelUnavailable):
                    await one.broker.leave("a", key)
            with pytest.raises(ChannelUnavailable):  # came back, and is not to be forgotten
                await one.broker.enter("a", "u:2", b"{}")
            proxy.heal()
            await one.broker.renew({"a": ["u:2"]})
            assert await other.broker.present("a") == {"u:2": b"{}"}
