"""A PostgreSQL that goes away: what is published then is an error, and all is heard again."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import pytest

from fastforge.channels import ChannelUnavailable
from fastforge.channels.carrying.broker import Kept
from fastforge.contrib.db.postgres_channels import asking, broker
from fastforge.test.proxy import Proxy
from tests import services
from tests.conftest import with_driver
from tests.processes import wait_until_async

from .conftest import migrated, process

KEPT = Kept(10, 60)


async def test_a_connection_that_was_cut_is_replaced_and_what_was_missed_is_told_of(
    each_url: str,
) -> None:
    with Proxy(each_url) as proxy:
        async with process(proxy.url) as one, process(each_url) as other:
            await one.broker.subscribe("a")
            await one.broker.subscribe("b")
            await one.publish(b"x")
            await wait_until_async(lambda: one.texts == [b"x"])
            proxy.refuse()
            proxy.reset()
            await wait_until_async(lambda: not one.broker.hearing.is_connected)
            await other.publish(b"missed")
            with pytest.raises(ChannelUnavailable, match=r"channels\.E040"):
                await one.publish(b"x")
            with pytest.raises(ChannelUnavailable, match=r"channels\.E040"):
                await one.broker.subscribe("c")
            proxy.heal()
            await wait_until_async(lambda: one.missed == 1)
            await other.publish(b"heard")
            await other.publish(b"heard too", room="b")
            await wait_until_async(lambda: one.texts == [b"x", b"heard", b"heard too"])
            assert one.broker.hearing.reconnects == 1
            await one.publish(b"of its own")


async def test_a_connection_that_the_server_ended_is_replaced(url: str) -> None:
    async with process(url) as one, process(url) as other:
        await one.broker.subscribe("a")
        await other.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await wait_until_async(lambda: one.broker.hearing.reconnects == 1)
        await other.publish(b"x")
        await wait_until_async(lambda: one.texts == [b"x"])


async def test_a_server_that_is_cut_off_without_a_word_is_left(
    each_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "ASK_EVERY_S", 0.2)
    monkeypatch.setattr(asking, "WAIT_S", 0.3)
    with Proxy(each_url) as proxy:
        async with process(proxy.url) as one, process(each_url) as other:
            await one.broker.subscribe("a")
            await one.publish(b"x")
            await wait_until_async(lambda: one.texts == [b"x"])
            proxy.blackhole()
            with pytest.raises(ChannelUnavailable, match="it does not answer"):
                await one.publish(b"lost")
            await wait_until_async(lambda: not one.broker.hearing.is_connected)
            await other.publish(b"missed")
            proxy.heal()
            await wait_until_async(lambda: one.missed == 1)
            await other.publish(b"heard")
            await wait_until_async(lambda: b"heard" in one.texts)
            await one.publish(b"of its own")


@pytest.fixture(scope="module", params=["asyncpg", pytest.param("psycopg", marks=pytest.mark.long)])
def server(request: pytest.FixtureRequest) -> Iterator[tuple[services.Server, str]]:
    """A server that a test may stop, and a URL of it."""
    server = services.start("postgres")
    yield server, with_driver(server.url, request.param)
    server.close()


async def test_a_server_that_is_frozen_is_left_and_heard_again(
    server: tuple[services.Server, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "ASK_EVERY_S", 0.2)
    monkeypatch.setattr(asking, "WAIT_S", 0.3)
    running, url = server
    await migrated(url)
    async with process(url) as one:
        await one.broker.subscribe("a")
        await one.publish(b"before")
        pids = [
            running.pid,
            *(row.pid for row in await one.sql("SELECT pid FROM pg_stat_activity")),
        ]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            await wait_until_async(lambda: not one.broker.hearing.is_connected)
            with pytest.raises(ChannelUnavailable, match=r"channels\.E040"):
                await one.publish(b"lost")
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        await wait_until_async(lambda: one.broker.hearing.is_connected)
        await one.publish(b"x")
        await wait_until_async(lambda: b"x" in one.texts)


async def test_a_server_that_has_crashed_is_heard_again_and_ids_grow(
    server: tuple[services.Server, str],
) -> None:
    """It ends all connections, and begins anew from what is on its disk."""
    _, url = server
    await migrated(url)
    async with process(url) as one, process(url) as other:
        await one.broker.subscribe("a")
        before = await one.publish(b"before", kept=KEPT)
        epoch = (await one.broker.recall("a", after=None, epoch="", kept=KEPT)).epoch
        (row,) = await other.sql(
            "SELECT pid FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() LIMIT 1"
        )
        os.kill(row.pid, signal.SIGKILL)
        await wait_until_async(lambda: one.broker.hearing.reconnects == 1)
        assert one.missed == 1
        after = await one.publish(b"after", kept=KEPT)
        assert after > before
        found = await one.broker.recall("a", after=before, epoch=epoch, kept=KEPT)
        assert ([each.data for each in found.messages], found.is_complete) == ([b"after"], True)
        await wait_until_async(lambda: one.texts[-1] == b"after")


@pytest.fixture(scope="module")
def pgbouncer_server(postgres_server: str) -> Iterator[str]:
    server = services.start("pgbouncer", postgres_server)
    yield server.url
    server.close()


async def test_a_pooler_that_takes_listen_and_gives_nothing_on_is_told_of(
    each_url: str, pgbouncer_server: str
) -> None:
    """Settings that know of it are refused at the start; not all of them do."""
    direct = urlsplit(each_url)
    address = urlsplit(pgbouncer_server)._replace(scheme=direct.scheme, path=direct.path)
    async with process(urlunsplit(address), pooler="transaction") as one:
        with pytest.raises(ChannelUnavailable, match=r"channels\.E045.*direct_url"):
            await one.broker.subscribe("a")
        assert await one.publish(b"x", kept=KEPT)  # through it all else goes well
