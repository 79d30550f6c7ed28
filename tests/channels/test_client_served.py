"""The JavaScript client as a project serves it, in a real browser, over a server that restarts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fastforge.channels.script import client_script
from fastforge.test import live_server
from tests.commanding import start
from tests.folder import ProjectFolder
from tests.processes import Process, fetch, free_port, wait_until

from .browsing import launched
from .live import Live

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
        return """<!doctype html><link rel=icon href=data:,><script type=module>
          import { connect } from "/channels/client.js"
          window.got = []
          window.told = []
          window.channels = connect("/channels", {
            onstate: (state, { code }) => told.push([state, code ?? null]),
          })
          window.room = channels.join("news", {
            message: (message) => got.push(message.number),
            joined: ({ recovered }) => told.push(["joined", recovered ?? null]),
          })
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


@pytest.fixture
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
            page.wait_for_function("told.length == 3 && events.length == 1")
            assert page.evaluate("room.push({ type: 'say', number: -1 })") == -1
            publish(*range(20))
            page.wait_for_function("got.length == 20 && events.at(-1).data?.number == 19")
            server.terminate()
            server.wait()
        publish(*range(20, 40))
        page.wait_for_function("channels.state == 'waiting'")
        with served(folder, port):
            publish(*range(40, 60))
            page.wait_for_function("got.at(-1) == 59", timeout=60_000)
            page.wait_for_function("told.filter(([what]) => what == 'joined').length == 2")
            assert page.evaluate("got") == list(range(60))
            page.wait_for_function("events.at(-1).data?.number == 59", timeout=60_000)
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


async def test_the_client_is_kept_by_browsers_until_it_is_another_one(live: Live) -> None:
    script = client_script()
    answer = await live.http.get("/channels/client.js")
    assert (answer.status_code, answer.content) == (200, script.body)
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    known = {"If-None-Match": f'"other", W/{answer.headers["etag"]}'}
    assert (await live.http.get("/channels/client.js", headers=known)).status_code == 304
    named = await live.http.get(f"/channels/client.js?v={script.version}")
    assert named.headers["cache-control"] == "public, max-age=31536000, immutable"
    of_before = await live.http.get("/channels/client.js?v=0123456789abcdef")
    assert of_before.headers["cache-control"] == "no-cache"
