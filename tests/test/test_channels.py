"""What a test asks of channels: what was published, clients, a clock that it advances, faults."""

from __future__ import annotations

import asyncio
import importlib
import threading
import time
from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from fastforge import Project, Role
from fastforge.channels import ChannelError, ChannelUnavailable
from fastforge.exceptions import ComponentError
from fastforge.test.channels import (
    ChannelClient,
    ChannelsUnderTest,
    SocketClosed,
    Somebody,
    channel_client,
    channels_of,
)
from fastforge.test.channels.brokers import BrokersOfTests
from fastforge.test.http import client_of
from fastforge.test.lifespan import RunningApplication, application_of

from ..folder import ProjectFolder, isolated

FILES = {
    "shop/settings.py": """
        from fastforge.channels import Channels
        from fastforge.contrib.db import Database

        INSTALLED_APPS = ["fastforge.contrib.db", "shop.orders"]
        DATABASES = {"default": Database(url="sqlite+aiosqlite:///db.sqlite3")}
        CHANNELS = Channels(
            path="/live", queue_size=4, messages_burst=3, messages_per_s=1, join_timeout_s=200
        )
        """,
    "shop/orders/channels.py": """
        from datetime import date
        from typing import Literal

        from pydantic import BaseModel, Field, computed_field

        from fastforge.channels import Channel, Connection, receives

        class Placed(BaseModel):
            type: Literal["placed"] = "placed"
            order_id: int = Field(alias="orderId")
            item: str

        class Noted(BaseModel):
            type: Literal["noted"]
            note: str

        class Shipped(BaseModel, strict=True, extra="forbid"):
            type: Literal["shipped"] = "shipped"
            day: date = Field(serialization_alias="shippedOn")

            @computed_field(alias="weekDay")
            @property
            def weekday(self) -> int:
                return self.day.weekday()

        class Note(BaseModel):
            type: Literal["note"] = "note"
            text: str = Field(alias="Text")

        class Orders(Channel, pattern="orders:{user_id:int}", history=10, history_ttl_s=60):
            Incoming = Note
            Outgoing = Placed | Noted | Shipped

            async def authorize(self, connection: Connection, user_id: int) -> bool:
                return connection.user is not None and connection.user.id == user_id

            @receives
            async def note(self, message: Note) -> None:
                await self.broadcast(Noted(type="noted", note=message.text), to_others=True)

        class Mirror(Channel, pattern="mirror", public=True):
            Incoming = Note

            @receives
            async def note(self, message: Note, connection: Connection) -> dict[str, str]:
                return dict(connection.headers)

        class News(Channel, pattern="news", public=True):
            Outgoing = Noted
        """,
    "shop/orders/routes.py": """
        from fastapi import APIRouter, HTTPException

        from fastforge.contrib.db import DbSession

        from .channels import Orders, Placed

        router = APIRouter()

        @router.post("/orders")
        async def place(item: str, db: DbSession) -> None:
            await Orders.publish(Placed(orderId=1, item=item), user_id=7)
            if item == "dodo":
                raise HTTPException(409)
        """,
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(FILES)
        yield folder


@pytest.fixture
def project(folder: ProjectFolder) -> Project:
    return folder.load()


@pytest.fixture
def orders(project: Project) -> Any:
    return importlib.import_module("shop.orders.channels")


@pytest.fixture
async def channels(project: Project) -> AsyncIterator[ChannelsUnderTest]:
    async with channels_of(project) as channels:
        yield channels


@pytest.fixture
async def http(channels: ChannelsUnderTest) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(await channels._running.application()) as http:
        yield http


async def connected(channels: ChannelsUnderTest, **options: Any) -> ChannelClient:
    ann = await channels.connect(user=7, **options)
    ann.patience_s = 30
    await ann.assert_joined("orders:7")
    return ann


# --- what was published --------------------------------------------------------------------------


async def test_what_a_handler_has_published_is_known_without_any_client(
    channels: ChannelsUnderTest, http: httpx.AsyncClient, orders: Any
) -> None:
    channels.assert_no_broadcast()
    await http.post("/orders", params={"item": "plum"})
    placed = channels.assert_broadcast(orders.Orders, orders.Placed, user_id=7)
    assert (placed.order_id, placed.item) == (1, "plum")
    channels.assert_broadcast(orders.Orders, orders.Placed(orderId=1, item="plum"))
    channels.assert_no_broadcast(orders.Orders, user_id=8)
    channels.assert_no_broadcast(orders.Orders, orders.Noted)
    assert [each.name for each in channels.broadcasts(orders.Orders)] == ["orders:7"]
    with pytest.raises(AssertionError) as failure:
        channels.assert_no_broadcast(orders.Orders)
    assert str(failure.value) == (
        "what was published and should not:\n"
        "  orders:7: Placed(type='placed', order_id=1, item='plum')"
    )


async def test_what_was_rolled_back_was_not_published_and_is_told_of(
    channels: ChannelsUnderTest, http: httpx.AsyncClient, orders: Any
) -> None:
    await http.post("/orders", params={"item": "dodo"})
    channels.assert_no_broadcast()
    with pytest.raises(AssertionError) as failure:
        channels.assert_broadcast(orders.Orders, orders.Placed, user_id=7)
    assert str(failure.value) == (
        "a message Placed in Orders(user_id=7) was not published\n"
        "nothing was published\n"
        "what no commit has let go, or was rolled back:\n"
        "  orders:7: Placed(type='placed', order_id=1, item='dodo')"
    )


async def test_a_failure_says_what_was_published_instead_and_in_what_the_nearest_differs(
    channels: ChannelsUnderTest, orders: Any
) -> None:
    for item in ("pear", "fig"):
        await channels.publish(orders.Orders, orders.Placed(orderId=2, item=item), user_id=8)
    with pytest.raises(AssertionError) as failure:
        channels.assert_broadcast(orders.Orders, orders.Placed(orderId=2, item="plum"), user_id=7)
    assert str(failure.value) == (
        "the message Placed(type='placed', order_id=2, item='plum') in Orders(user_id=7)"
        " was not published\n"
        "the nearest, in orders:8, has item='pear' and not 'plum'\n"
        "what was published:\n"
        "  orders:8: Placed(type='placed', order_id=2, item='pear')\n"
        "  orders:8: Placed(type='placed', order_id=2, item='fig')"
    )


async def test_what_nobody_can_have_published_is_not_looked_for(
    channels: ChannelsUnderTest, orders: Any
) -> None:
    cases: list[tuple[Any, dict[str, Any], str]] = [
        (orders.Placed, {"usr_id": 7}, r"test\.E010.*'usr_id'.*did you mean 'user_id'"),
        (orders.Placed, {"user_id": "7"}, r"test\.E010.*user_id='7'.*it takes int"),
        (orders.Note, {}, r"test\.E010.*no Note is published in Orders.*Noted"),
    ]
    for message, parameters, problem in cases:
        with pytest.raises(ChannelError, match=problem):
            channels.assert_broadcast(orders.Orders, message, **parameters)
    with pytest.raises(ChannelError, match=r"test\.E010.*name one first"):
        channels.assert_no_broadcast(user_id=7)


async def test_what_another_container_publishes_reaches_the_sockets_of_the_test(
    project: Project, orders: Any
) -> None:
    """A command of the test, a job, its live server: what is in memory is one for all."""
    async with channels_of(project) as channels:
        ann = await connected(channels)
        other = channels._brokers.used_by(project)
        async with other.running(Role.COMMAND):
            await orders.Orders.publish(orders.Placed(orderId=3, item="fig"), user_id=7)
        assert (await ann.assert_push(orders.Placed)).item == "fig"
        channels.assert_broadcast(orders.Orders, orders.Placed, user_id=7)


def test_a_plain_test_waits_for_what_a_server_in_a_thread_is_about_to_publish(
    project: Project, orders: Any
) -> None:
    brokers = BrokersOfTests()

    async def publish() -> None:
        async with brokers.used_by(project).running(Role.COMMAND):
            await asyncio.sleep(0.05)
            await orders.News.publish(orders.Noted(type="noted", note="late"))

    server = threading.Thread(target=asyncio.run, args=[publish()])
    server.start()
    running = RunningApplication(lambda: application_of(project))
    channels = ChannelsUnderTest(running, brokers)
    channels.patience_s = 30
    assert channels.assert_broadcast(orders.News, orders.Noted).note == "late"
    server.join()


# --- clients -------------------------------------------------------------------------------------


async def test_a_push_is_given_as_its_model_whatever_its_fields_are_called(
    channels: ChannelsUnderTest, orders: Any
) -> None:
    ann, bob = await connected(channels), await connected(channels)
    assert (await bob.push("orders:7", orders.Note(Text="gift")))["type"] == "ok"
    noted = await ann.assert_push(orders.Noted, channel="orders:7")
    assert noted == orders.Noted(type="noted", note="gift")
    await bob.assert_no_push()
    await channels.publish(orders.Orders, orders.Placed(orderId=1, item="plum"), user_id=7)
    assert (await ann.assert_push(orders.Placed(orderId=1, item="plum"))).order_id == 1
    shipped = orders.Shipped(day=date(2026, 11, 30))
    await channels.publish(orders.Orders, shipped, user_id=7)
    assert await ann.assert_push(orders.Shipped) == shipped


async def test_a_client_that_is_not_told_says_what_came_instead(
    channels: ChannelsUnderTest, orders: Any
) -> None:
    ann = await connected(channels)
    with pytest.raises(AssertionError, match='orders:8 was not joined\nerror: .*"forbidden"'):
        await ann.assert_joined("orders:8")
    await channels.publish(orders.Orders, orders.Placed(orderId=1, item="pear"), user_id=7)
    with pytest.raises(AssertionError) as failure:
        await ann.assert_push(orders.Placed(orderId=1, item="plum"), within_s=0.01)
    first_id = channels._brokers._memory._last_id
    assert str(failure.value) == (
        "the message Placed(type='placed', order_id=1, item='plum') has not come\n"
        "the nearest has item='pear' and not 'plum'\n"
        "what has come:\n"
        f'  message in orders:7, id {first_id}: {{"type":"placed","orderId":1,"item":"pear"}}\n'
        "what was refused before:\n"
        '  error: {"ref":2,"code":"forbidden","message":"there is no such channel, or you may not'
        ' join it","channel":"orders:8"}'
    )
    with pytest.raises(AssertionError, match="what has come and should not:\n  message"):
        await ann.assert_no_push(orders.Placed)
    await ann.assert_no_push(orders.Noted)
    await ann.assert_no_push(channel="news")
    with pytest.raises(AssertionError, match="a frame gap dropped=3 has not come"):
        await ann.assert_frame("gap", dropped=3, within_s=0.01)
    with pytest.raises(AssertionError, match="the end of the socket has not come"):
        await ann.assert_closed(4108, within_s=0.01)
    await channels.drain()
    with pytest.raises(AssertionError, match="the socket is closed with 1012 restart"):
        await ann.assert_push(orders.Noted)


async def test_a_client_that_has_joined_nothing_says_so(
    channels: ChannelsUnderTest, orders: Any
) -> None:
    ann = await channels.connect()
    with pytest.raises(AssertionError) as failure:
        await ann.assert_push(orders.Placed, channel="orders:7", within_s=0.01)
    assert str(failure.value) == (
        "a message Placed in orders:7 has not come\n"
        "nothing else has come that was not asked for\n"
        "the client has joined nothing"
    )
    await ann.join("news")
    await channels.publish(orders.News, orders.Noted(type="noted", note="hello"))
    with pytest.raises(AssertionError, match="there are messages in news"):
        await ann.assert_push(orders.Noted, channel="orders:7", within_s=0.01)


async def test_a_client_is_who_the_test_says_or_shows(channels: ChannelsUnderTest) -> None:
    nobody = await channels.connect()
    assert (await nobody.join("orders:7"))["code"] == "unauthenticated"

    class Row:
        id = 7

    for user in (7, Row(), Somebody(7)):
        ann = await channels.connect(user=user)
        assert (await ann.join("orders:7"))["type"] == "joined"


async def test_a_client_is_refused_as_by_a_server(
    channels: ChannelsUnderTest, http: httpx.AsyncClient
) -> None:
    with pytest.raises(SocketClosed) as refused:
        await channels.connect(headers={"origin": "https://elsewhere.example"})
    assert refused.value.code == 403
    nowhere = "ws://localhost/nowhere"
    with pytest.raises(SocketClosed) as refused:
        async with channel_client(await channels._running.application(), url=nowhere):
            pytest.fail("there is nothing")
    assert str(refused.value) == "closed with 403 before it was open"


async def test_a_client_shows_what_a_browser_would(
    channels: ChannelsUnderTest, http: httpx.AsyncClient, orders: Any
) -> None:
    http.headers["authorization"] = "Bearer abc"
    http.cookies.set("session", "def")
    page = await channels.connect(like=http, headers={"x-more": "ghi"})
    await page.join("mirror")
    shown = (await page.push("mirror", orders.Note(Text="")))["data"]
    expected = {
        "authorization": "Bearer abc",
        "cookie": "session=def",
        "host": "localhost",
        "origin": "http://localhost",
        "x-more": "ghi",
    }
    assert expected.items() <= shown.items()


async def test_a_client_comes_back_to_where_it_was(
    channels: ChannelsUnderTest, orders: Any
) -> None:
    ann, bob = await connected(channels), await connected(channels)
    await ann.push("orders:7", orders.Note(Text="own"))
    await channels.publish(orders.Orders, orders.Placed(orderId=1, item="plum"), user_id=7)
    await ann.disconnect()
    await bob.push("orders:7", orders.Note(Text="of bob"))
    await channels.publish(orders.Orders, orders.Placed(orderId=2, item="fig"), user_id=7)
    for _ in range(2):
        assert (await ann.reconnect())["orders:7"]["recovered"] is True
    items = [(await ann.assert_push(orders.Placed)).item for _ in range(2)]
    assert items == ["plum", "fig"]
    assert (await ann.assert_push(orders.Noted)).note == "of bob"
    await ann.assert_no_push()


async def test_a_project_without_channels_has_no_clients(folder: ProjectFolder) -> None:
    folder.write({"shop/settings.py": ""})
    async with channels_of(folder.load()) as channels:
        with pytest.raises(ChannelError, match=r"channels\.E032.*channels\.py"):
            await channels.connect()


async def test_an_application_of_another_project_is_told_of(project: Project) -> None:
    other = RunningApplication(lambda: application_of(project))
    channels = ChannelsUnderTest(other, BrokersOfTests())
    try:
        with pytest.raises(ComponentError, match=r"test\.E011.*project\.overriding"):
            await channels.connect()
    finally:
        await other.stop()


# --- time ----------------------------------------------------------------------------------------


async def test_time_passes_when_the_test_says_so(channels: ChannelsUnderTest, orders: Any) -> None:
    silent = await channels.connect()
    ann = await connected(channels)
    cat = await channels.connect(user=Somebody(7, expires_at=time.time() + 600))
    await cat.join("orders:7")
    await channels.let_pass(timedelta(seconds=100))
    await silent.assert_no_push()
    await channels.let_pass(timedelta(seconds=101))
    await silent.assert_closed(1008, within_s=30)
    await channels.let_pass(timedelta(seconds=600 - 201))
    assert 0 <= (await cat.assert_frame("expiring", within_s=30))["in_s"] <= 30
    await cat.assert_closed(4100, within_s=30)
    for _ in range(5):
        await channels.let_pass(timedelta(seconds=3))
        for _ in range(3):
            assert (await ann.ask("ping"))["type"] == "pong"
    for _ in range(4):
        ann.send({"type": "ping"})
    await ann.assert_closed(4109)


async def test_a_client_that_does_not_read_is_told_what_is_missing_or_is_let_go(
    channels: ChannelsUnderTest, orders: Any
) -> None:
    ann, bob = await connected(channels), await connected(channels)
    for client in (ann, bob):
        client.stop_reading()
    for number in range(6):
        await channels.publish(orders.Orders, orders.Placed(orderId=number, item=""), user_id=7)
        await channels.let_pass(timedelta(0))
    ann.go_on_reading()
    assert (await ann.assert_frame("gap"))["dropped"] == 1
    for number in (0, 2, 3, 4, 5):
        await ann.assert_push(orders.Placed(orderId=number, item=""))
    await channels.let_pass(timedelta(seconds=14))
    assert len(channels._brokers.places[0].hub.sockets) == 1


async def test_what_is_kept_is_kept_for_so_long(channels: ChannelsUnderTest, orders: Any) -> None:
    ann = await connected(channels)
    await ann.disconnect()
    await channels.publish(orders.Orders, orders.Placed(orderId=1, item="plum"), user_id=7)
    await channels.let_pass(timedelta(seconds=61))
    assert (await ann.reconnect())["orders:7"]["recovered"] is False


# --- faults --------------------------------------------------------------------------------------


async def test_a_backend_that_is_away_fails_requests_and_joins_and_comes_back(
    channels: ChannelsUnderTest, http: httpx.AsyncClient, orders: Any
) -> None:
    ann = await connected(channels)
    assert (await http.post("/orders", params={"item": "pear"})).status_code == 200
    await ann.assert_push(orders.Placed)
    channels.backend.disconnect()
    assert (await http.post("/orders", params={"item": "plum"})).status_code == 503
    with pytest.raises(ChannelUnavailable, match=r"test\.E009.*heal"):
        await channels.publish(orders.Orders, orders.Placed(orderId=1, item="plum"), user_id=7)
    with pytest.raises(AssertionError, match="what could not be sent:\n  orders:7: Placed"):
        channels.assert_broadcast(orders.Orders, orders.Placed(orderId=1, item="plum"))
    assert (await ann.join("news"))["code"] == "unavailable"
    channels.backend.heal()
    await channels.publish(orders.Orders, orders.Placed(orderId=2, item="fig"), user_id=7)
    await ann.assert_push(orders.Placed(orderId=2, item="fig"))
    assert (await ann.join("news"))["type"] == "joined"


async def test_what_a_backend_has_lost_comes_from_the_history_or_is_told_of(
    channels: ChannelsUnderTest, orders: Any
) -> None:
    ann = await connected(channels)
    await ann.join("news")
    channels.backend.drop()
    await channels.publish(orders.Orders, orders.Placed(orderId=1, item="plum"), user_id=7)
    await channels.publish(orders.News, orders.Noted(type="noted", note="lost"))
    await ann.assert_no_push()
    channels.backend.heal()
    await ann.assert_push(orders.Placed)
    await ann.assert_frame("gap", channel="news")
    await ann.assert_no_push()


async def test_what_a_backend_delays_comes_when_so_much_time_has_passed(
    channels: ChannelsUnderTest, orders: Any
) -> None:
    ann = await connected(channels)
    channels.backend.delay(timedelta(minutes=10))
    await channels.publish(orders.Orders, orders.Placed(orderId=1, item="plum"), user_id=7)
    await channels.let_pass(timedelta(minutes=5))
    await ann.assert_no_push()
    await channels.let_pass(timedelta(minutes=5, seconds=1))
    await ann.assert_push(orders.Placed)
    await channels.publish(orders.Orders, orders.Placed(orderId=2, item="fig"), user_id=7)
    await ann.assert_no_push()
    channels.backend.heal()
    await ann.assert_push(orders.Placed(orderId=2, item="fig"))


async def test_a_stop_closes_every_socket_behind_what_waits_and_they_come_back(
    channels: ChannelsUnderTest, orders: Any
) -> None:
    ann = await connected(channels)
    await channels.publish(orders.Orders, orders.Placed(orderId=1, item="plum"), user_id=7)
    await channels.drain()
    await ann.assert_push(orders.Placed)
    await ann.assert_closed(1012)
    assert (await ann.reconnect())["orders:7"]["recovered"] is True


async def test_a_real_backend_may_fail_as_well_and_goes_by_itself_on(
    folder: ProjectFolder, redis_url: str
) -> None:
    settings = FILES["shop/settings.py"].replace(
        'db", "shop', 'db", "fastforge.contrib.redis", "shop'
    )
    settings += f"""
        from fastforge.contrib.redis import Redis

        CHANNELS = Channels(backend="redis")
        REDIS = Redis(url="{redis_url}")
        """
    folder.write({"shop/settings.py": settings})
    project = folder.load()
    orders = importlib.import_module("shop.orders.channels")
    async with channels_of(project) as channels:
        ann = await connected(channels)
        await channels.publish(orders.Orders, orders.Placed(orderId=1, item="plum"), user_id=7)
        await ann.assert_push(orders.Placed)
        channels.backend.drop()
        await channels.publish(orders.Orders, orders.Placed(orderId=2, item="fig"), user_id=7)
        channels.assert_broadcast(orders.Orders, orders.Placed(orderId=2, item="fig"))
        hearing = channels._brokers.places[0].hub.hearing
        assert hearing is not None
        assert hearing.deaf_since is not None
        channels.backend.disconnect()
        assert (await ann.join("news"))["code"] == "unavailable"
        channels.backend.heal()
        assert (await ann.assert_push(orders.Placed)).item == "fig"
