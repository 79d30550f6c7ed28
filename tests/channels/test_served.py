"""Served: channels over real sockets, by our server and by others."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from fastforge.test import live_server

from ..folder import ProjectFolder
from .live import CHANNELS, ROUTES

LIMIT_S = 60.0


@pytest.fixture
def url(folder: ProjectFolder) -> Iterator[str]:
    folder.write(
        {
            "shop/settings.py": """
                from fastforge.channels import Channels

                INSTALLED_APPS = ["shop.talk"]
                CHANNELS = Channels(slow_consumer_timeout_s=600)
            """,
            "shop/talk/channels.py": CHANNELS,
            "shop/talk/routes.py": ROUTES,
        }
    )
    with live_server(folder.load()) as url:
        yield url


@contextmanager
def joined(url: str, channel: str, **options: Any) -> Iterator[ClientConnection]:
    with connect(url.replace("http", "ws") + "/channels", **options) as socket:
        socket.send(json.dumps({"type": "join", "ref": 1, "channel": channel}))
        assert received(socket)["type"] == "welcome"
        assert received(socket)["type"] == "joined"
        yield socket


def received(socket: ClientConnection) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(socket.recv(timeout=LIMIT_S))
    return frame


def publish(url: str, kind: str, text: str) -> None:
    body = {"text": text, "parameters": {}}
    assert httpx.post(f"{url}/publish/{kind}", json=body).status_code == 200


def test_messages_reach_real_clients_whatever_their_size(url: str) -> None:
    texts = ["", "x" * 100, "y" * 1000, "z" * 65_000, "ü" * 10]
    with joined(url, "news") as ann, joined(url, "news", compression=None) as bob:
        for text in texts:
            publish(url, "News", text)
        for client in (ann, bob):
            assert [received(client)["data"]["text"] for _ in texts] == texts


def test_a_client_that_stops_to_read_holds_up_nobody_and_is_told_of_what_it_missed(
    url: str,
) -> None:
    with joined(url, "news", compression=None, max_queue=1) as slow, joined(url, "news") as ann:
        text = "x" * 60_000
        for number in range(100):
            publish(url, "News", f"{number:04}{text}")
            assert received(ann)["data"]["text"].startswith(f"{number:04}")
        frames: list[dict[str, Any]] = []
        while not frames or not (frames[-1].get("data", {"text": ""})["text"].startswith("0099")):
            frames.append(received(slow))
        gaps = [frame for frame in frames if frame["type"] == "gap"]
        messages = [frame for frame in frames if frame["type"] == "message"]
        assert gaps
        assert sum(frame["dropped"] for frame in gaps) + len(messages) == 100
        assert [frame["id"] for frame in messages] == sorted(frame["id"] for frame in messages)


def test_a_server_that_stops_says_so_and_its_clients_come_back(folder: ProjectFolder) -> None:
    folder.write(
        {
            "shop/settings.py": 'INSTALLED_APPS = ["shop.talk"]',
            "shop/talk/channels.py": CHANNELS,
            "shop/talk/routes.py": ROUTES,
        }
    )
    heard: list[tuple[int, str]] = []
    is_joined = threading.Event()

    def stay(url: str) -> None:
        with joined(url, "news") as socket:
            is_joined.set()
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(timeout=LIMIT_S)
            if closed.value.rcvd is not None:
                heard.append((closed.value.rcvd.code, closed.value.rcvd.reason))

    with live_server(folder.load()) as url:
        client = threading.Thread(target=stay, args=(url,))
        client.start()
        assert is_joined.wait(LIMIT_S)
    client.join(LIMIT_S)
    assert heard == [(1012, "restart")]


def test_a_client_that_only_listens_gets_events_over_http(url: str) -> None:
    with httpx.stream("GET", f"{url}/channels/sse?channel=news", timeout=LIMIT_S) as answer:
        lines = answer.iter_lines()
        while "joined" not in next(lines):
            continue
        publish(url, "News", "hello")
        told = next(line for line in lines if '"message"' in line)
        assert json.loads(told.removeprefix("data: "))["data"]["text"] == "hello"


def test_a_stream_of_events_ends_when_the_server_stops(folder: ProjectFolder) -> None:
    folder.write(
        {
            "shop/settings.py": 'INSTALLED_APPS = ["shop.talk"]',
            "shop/talk/channels.py": CHANNELS,
            "shop/talk/routes.py": ROUTES,
        }
    )
    lines: list[str] = []
    is_joined = threading.Event()

    def listen(url: str) -> None:
        with httpx.stream("GET", f"{url}/channels/sse?channel=news", timeout=LIMIT_S) as answer:
            for line in answer.iter_lines():
                lines.append(line)
                if "joined" in line:
                    is_joined.set()

    with live_server(folder.load()) as url:
        client = threading.Thread(target=listen, args=(url,))
        client.start()
        assert is_joined.wait(LIMIT_S)
    client.join(LIMIT_S)
    assert lines[-2:] == ['data: {"type":"closed","code":1012,"reason":"restart"}', ""]
