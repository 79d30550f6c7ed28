"""The JavaScript client as a project serves it, in a real browser, over a server that restarts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fastforge.test import live_server
from tests.commanding import start
from tests.folder import ProjectFolder
from tests.processes import Process, fetch, free_port, wait_until

from .browsing import launched

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SETTINGS = """
    from fastforge.channels import Channels
    from fastforge.contrib.redis import Redis

    SECRET_KEY = "a key of a test, long enough for one"
    INSTALLED_APPS = ["fastforge.contrib.redis", "shop.talk"]
    REDIS = Redis(url={url!r})
    CHANNELS = Channels(backend="redis")
"""
ALONE = """
    from fastforge.channels import Channels

    SECRET_KEY = "a key of a test, long enough for one"
    INSTALLED_APPS = ["shop.talk"]
    CHANNELS = Channels(per_user=2, messages_burst=5)
    CORS = {{"allow_origins": ["http://friend.test"], "allow_credentials": True}}
    SECURITY = {{"content_security_policy": {policy!r}}}
"""
POLICY = "default-src 'none'; script-src 'self' 'nonce-page'; connect-src 'self'; img-src data:"
GUARDS = """
    import time
    from types import SimpleNamespace

    from fastforge.channels import ChannelGuard, Unknown

    async def by_token(token: str) -> SimpleNamespace:
        name, _, ends_in_s = token.partition(":")
        if name == "eve":
            raise Unknown
        return SimpleNamespace(id=name, token_id="", expires_at=time.time() + float(ends_in_s))

    GUARD = ChannelGuard(name="badges", by_token=by_token)
"""
CHANNELS = """
    from typing import Literal

    from pydantic import BaseModel

    from fastforge.channels import Channel, receives

    class Said(BaseModel):
        type: Literal["said"] = "said"
        number: int

    class Say(BaseModel):
        type: Literal["say"] = "say"
        number: int

    class News(Channel, pattern="news", public=True, history=1000):
        Incoming = Say
        Outgoing = Said

        @receives
        async def say(self, message: Say) -> int:
            if message.number > 4000:
                self.connection.close(message.number)
            await self.broadcast(Said(number=message.number), to_others=True)
            return message.number
"""
ROUTES = '''
    from fastapi import APIRouter
    from fastapi.responses import HTMLResponse

    from .channels import News, Said

    router = APIRouter()

    @router.post("/publish")
    async def publish(number: int) -> None:
        await News.publish(Said(number=number))

    @router.get("/", response_class=HTMLResponse)
    async def page() -> str:
        return """<!doctype html><link rel=icon href=data:,><script type=module nonce=page>
          import { connect } from "/channels/client.js"
          window.got = []
          window.told = []
          window.tokens = new URLSearchParams(location.search).getAll("token")
          window.channels = connect("/channels", {
            token: () => tokens.shift(),
            onstate: (state, { code }) => told.push([state, code ?? null]),
          })
          window.room = channels.join("news", {
            message: (message) => got.push(message.number),
            joined: ({ recovered }) => told.push(["joined", recovered ?? null]),
          })
          window.push = (number) => { room.push({ type: "say", number }) }
          window.events = []
          window.source = new EventSource("/channels/sse?channel=news")
          source.onmessage = ({ data }) => events.push(JSON.parse(data))
        </script>"""
'''


@contextmanager
def served(folder: ProjectFolder, port: int) -> Iterator[Process]:
    argv = [sys.executable, "-m", "fastforge", "runserver", f"127.0.0.1:{port}", "--no-reload"]
    environ = {"FASTFORGE_ENV": "development", "FASTFORGE_SETTINGS_MODULE": "shop.settings"}
    with start([*argv, "--no-worker"], cwd=folder.path, env=environ) as server:
        wait_until(lambda: fetch(f"http://127.0.0.1:{port}/livez"), describe=server)
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


def told(page: Page) -> list[Any]:
    return list(page.evaluate("told"))


def test_a_page_misses_nothing_and_gets_nothing_twice_while_its_server_restarts(
    browser: Browser, folder: ProjectFolder, redis_url: str
) -> None:
    """What goes on being published by another process meanwhile comes by the history, in order.

    So it is with our client, and with the browser's own for events.
    """
    folder.write(
        {
            "shop/settings.py": SETTINGS.format(url=redis_url),
            "shop/talk/channels.py": CHANNELS,
            "shop/talk/routes.py": ROUTES,
        }
    )
    port, page = free_port(), browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    with live_server(folder.load()) as other, httpx.Client(base_url=other) as http:

        def publish(*numbers: int) -> None:
            for number in numbers:
                assert http.post("/publish", params={"number": number}).status_code == 200

        with served(folder, port) as server:
            page.goto(f"http://127.0.0.1:{port}/")
            page.wait_for_function("() => told.length == 3 && events.length == 1")
            assert page.evaluate("room.push({ type: 'say', number: -1 })") == -1
            publish(*range(20))
            page.wait_for_function("() => got.length == 20 && events.at(-1).data?.number == 19")
            server.terminate()
            server.wait()
        publish(*range(20, 40))
        page.wait_for_function("() => channels.state == 'waiting'")
        with served(folder, port):
            publish(*range(40, 60))
            page.wait_for_function("() => got.at(-1) == 59", timeout=60_000)
            page.wait_for_function("() => told.filter(([what]) => what == 'joined').length == 2")
            assert page.evaluate("got") == list(range(60))
            page.wait_for_function("() => events.at(-1).data?.number == 59", timeout=60_000)
            assert page.evaluate("room.push({ type: 'say', number: -2 })") == -2
        events = page.evaluate("events")
    numbers = [event["data"]["number"] for event in events if event["type"] == "message"]
    assert [number for number in numbers if number >= 0] == list(range(60))
    joins = [event.get("recovered") for event in events if event["type"] == "joined"]
    assert joins == [None, True]
    states = told(page)
    assert states[:4] == [
        ["connecting", None], ["open", None], ["joined", None], ["waiting", 1012],
    ]  # fmt: skip
    assert ["joined", True] in states
    assert errors == []


@pytest.fixture
def alone(folder: ProjectFolder) -> Iterator[str]:
    """The address of a server without Redis, whose pages may do nothing but what they need."""
    folder.write(
        {
            "shop/settings.py": ALONE.format(policy=POLICY),
            "shop/talk/channels.py": CHANNELS,
            "shop/talk/channel_guards.py": GUARDS,
            "shop/talk/routes.py": ROUTES,
        }
    )
    with live_server(folder.load()) as url:
        yield url


def test_a_page_without_a_network_comes_back_with_it_and_has_missed_nothing(
    browser: Browser, alone: str
) -> None:
    """Chromium drops what a socket gets while there is no network, and tells the page nothing."""
    page = browser.new_page()
    page.clock.install()
    page.goto(alone)
    page.wait_for_function("() => told.length == 3")
    page.context.set_offline(True)
    assert httpx.post(f"{alone}/publish?number=1").status_code == 200
    page.clock.fast_forward(10_000)
    page.wait_for_function("() => channels.state == 'waiting'")
    assert httpx.post(f"{alone}/publish?number=2").status_code == 200
    page.context.set_offline(False)
    page.clock.fast_forward(30_000)
    page.wait_for_function("() => got.length == 2")
    assert page.evaluate("got") == [1, 2]
    assert told(page)[-1] == ["joined", True]
    page.close()


def test_a_page_does_what_the_codes_of_a_server_ask_for(browser: Browser, alone: str) -> None:
    page, second, third = (browser.new_page() for _ in range(3))
    page.add_init_script("Math.random = () => 0.2")

    def ends_with(code: int, state: str) -> None:
        page.wait_for_function(f"() => told.some(([_, code]) => code === {code})")
        page.wait_for_function(f"() => channels.state == '{state}'")
        page.evaluate("told.length = 0")

    def opens_with(*tokens: str) -> None:
        page.evaluate(f"tokens = {list(tokens)}")
        page.evaluate("channels.open()")
        page.wait_for_function("() => room.state == 'joined'")

    page.goto(f"{alone}/?token=eve:60")
    ends_with(4001, "closed")
    opens_with("ann:1", "ann:60")
    page.wait_for_function(
        "() => tokens.length == 0"
    )  # at the end of the first one the other is shown
    page.wait_for_timeout(1000)
    page.evaluate("push(4003)")
    ends_with(4003, "closed")
    opens_with("ann:60", "ann:60", "ann:60")
    page.evaluate("push(4108)")
    ends_with(4108, "open")
    page.evaluate("() => { for (const number of Array(9).keys()) push(number) }")
    ends_with(4109, "open")
    second.goto(f"{alone}/?token=ann:60")
    second.wait_for_function("() => room.state == 'joined'")
    third.goto(f"{alone}/?token=ann:60")
    third.wait_for_function("() => channels.state === 'waiting'")
    assert told(third)[-1] == ["waiting", 1013]
    page.evaluate("channels.close()")
    opens_with("bob:0.1")
    ends_with(4100, "open")
    for each in (page, second, third):
        each.close()


LISTENS = """
    <!doctype html><link rel=icon href=data:,><script>
      const there = "{url}"
      window.told = []
      const events = `${{there}}/channels/sse?channel=news`
      const source = new EventSource(events, {{ withCredentials: true }})
      source.onmessage = () => told.push("event")
      source.onerror = () => told.push("no event")
      const socket = new WebSocket(`${{there.replace("http", "ws")}}/channels`)
      socket.onopen = () => told.push("socket")
      socket.onclose = () => told.push("no socket")
    </script>
"""


@pytest.mark.parametrize(
    ("origin", "hears"), [("http://evil.test", "no "), ("http://friend.test", "")]
)
def test_a_page_of_another_origin_hears_what_cors_lets_it_hear(
    browser: Browser, alone: str, origin: str, hears: str
) -> None:
    page = browser.new_page()
    body = LISTENS.format(url=alone)
    page.route(f"{origin}/", lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto(f"{origin}/")
    page.wait_for_function("() => told.length == 2")
    assert sorted(told(page)) == [f"{hears}event", f"{hears}socket"]
    page.close()
