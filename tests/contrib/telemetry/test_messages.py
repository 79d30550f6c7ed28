"""What is recorded of channels: what is published, and each message of a client as a trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi.testclient import TestClient

from fastforge.asgi import get_asgi_application
from tests.folder import ProjectFolder

from .collector import Collector
from .projects import write

CHANNELS = """
    from typing import Literal

    from pydantic import BaseModel

    from fastforge.channels import Channel, receives
    from fastforge.observability.tracing import span, trace_ids

    class Said(BaseModel):
        type: Literal["said"] = "said"

    class Say(BaseModel):
        type: Literal["say"] = "say"
        fails: bool = False

    class Room(Channel, pattern="room:{room_id:int}:{token}", public=True):
        Incoming = Say
        Outgoing = Said

        @receives
        async def say(self, message: Say) -> dict:
            with span("think"):
                if message.fails:
                    raise LookupError("password=hunter2")
                await self.broadcast(Said())
            return {"ids": trace_ids()}
"""
ROUTES = """
    from fastapi import APIRouter

    from .channels import Room, Said

    router = APIRouter()

    @router.post("/say")
    async def say() -> None:
        await Room.publish(Said(), room_id=7, token="hunter2")
"""
ROOM = "room:{room_id:int}:{token}"


@contextmanager
def joined(folder: ProjectFolder, collector: Collector, options: str = "") -> Iterator[Any]:
    """A client of the application, and its socket, which is in a room."""
    files = {"shop/orders/channels.py": CHANNELS, "shop/orders/routes.py": ROUTES}
    write(folder, collector.url, options, **files)
    with (
        TestClient(get_asgi_application(folder.load())) as client,
        client.websocket_connect("/channels") as socket,
    ):
        assert asked(socket, type="join")["type"] == "joined"
        yield client, socket


def asked(socket: Any, **frame: Any) -> dict[str, Any]:
    socket.send_json({"ref": 1, "channel": "room:7:hunter2", **frame})
    while True:
        answer: dict[str, Any] = socket.receive_json()
        if answer.get("ref") == 1:
            return answer


def push(socket: Any, **more: Any) -> dict[str, Any]:
    return asked(socket, type="push", data={"type": "say", **more})


def test_a_message_of_a_client_is_a_trace_of_its_own_that_links_to_its_socket(
    folder: ProjectFolder, collector: Collector
) -> None:
    with joined(folder, collector) as (_, socket):
        ids = push(socket)["data"]["ids"]
        assert push(socket, fails=True)["code"] == "failed"
    first, second = [each for each in collector.spans if each.name == f"handle {ROOM}"]
    web = collector.one("WS /channels")
    for handled in (first, second):
        assert (handled.kind, handled.parent) == ("consumer", "")
        assert handled.links == [(web.trace_id, web.span_id)]
        assert handled.attributes["fastforge.message"] == "say"
        assert handled.attributes["messaging.destination.name"] == "room:7:***"
        assert handled.attributes["messaging.destination.template"] == ROOM
    assert (first.failed, second.failed) == (False, True)
    assert second.attributes["error.type"] == "LookupError"
    assert first.trace_id != second.trace_id
    assert ids[0] == first.trace_id
    published = collector.one(f"publish {ROOM}")
    assert (published.kind, published.trace_id) == ("producer", first.trace_id)
    assert b"hunter2" not in b"".join(collector.bodies)


def test_what_a_request_publishes_is_a_part_of_its_trace(
    folder: ProjectFolder, collector: Collector
) -> None:
    with joined(folder, collector) as (client, socket):
        assert client.post("/say").status_code == 200
        assert socket.receive_json()["type"] == "message"
    assert collector.children(collector.one("POST /say")) == [f"publish {ROOM}"]


@pytest.mark.parametrize("options", ["exclude=['/channels']", "sample_ratio=0"])
def test_messages_are_recorded_as_rarely_as_requests_and_never_where_nobody_looks(
    folder: ProjectFolder, collector: Collector, options: str
) -> None:
    with joined(folder, collector, options) as (_, socket):
        ids = push(socket)["data"]["ids"]
    assert collector.spans == []
    # One that is not recorded has a trace all the same, by which its lines are found.
    assert (ids is None) is ("exclude" in options)
