"""Channels hold what they promise under our server, and under one that knows nothing of them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.processes import wait_until
from tests.server.protocol.websocket.conftest import is_reset, unread

from .serving import LIMIT_S, Client, Served, project, served

SETTINGS = """
    CHANNELS = Channels(
        join_timeout_s=600, slow_consumer_timeout_s=0.5, messages_per_s=0.001, messages_burst=20
    )
    SERVER = {
        "drain_s": 1, "linger_s": 0.1, "graceful_s": 2, "websocket_close_s": 0.5,
        "websocket_ping_s": 0.5, "websocket_pong_s": 2, "websocket_send_timeout_s": 0.5,
    }
"""
FOREIGN = Origin("https://evil.example")
LARGE = 60_000
GUARDS = """
    import time
    from dataclasses import dataclass

    from fastforge.channels import ChannelGuard

    @dataclass
    class Visitor:
        id: int
        token_id: str
        expires_at: float

    async def by_token(token: str) -> Visitor:
        return Visitor(1, token, time.time() + float(token))

    PASSES = ChannelGuard(name="passes", by_token=by_token)
"""


ASK_OFTEN = ("runserver", "uvicorn")
"""Those that are told to ask their clients twice a second whether they are there."""
OTHERS = ("our worker", "uvicorn with --ws", "uvicorn_worker", "gunicorn's asgi", "granian")


@pytest.fixture(
    scope="module",
    params=[*ASK_OFTEN, *(pytest.param(server, marks=pytest.mark.long) for server in OTHERS)],
)
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """One process, whose clients have to answer a ping within two seconds."""
    folder = project(tmp_path_factory.mktemp("talk"), settings=SETTINGS, channel_guards=GUARDS)
    with served(folder, request.param) as running:
        yield running


def text_frame(text: str) -> bytes:
    """A short message as a client sends it; the mask changes nothing."""
    data = text.encode()
    return bytes((0x81, 0x80 | len(data))) + bytes(4) + data


def test_a_client_that_reads_nothing_is_let_go_and_the_others_get_all(site: Served) -> None:
    """F24, and nobody who publishes waits for it."""
    before = site.noted("left feed")
    with site.client() as ann, unread(site.port, "/channels") as stuck:
        ann.join("feed")
        stuck.sendall(text_frame('{"type":"join","channel":"feed"}'))
        for number in range(60):
            site.publish(number, 1, size=LARGE)
            assert ann.numbers(1) == [number]
        site.wait_for("left feed", times=before + 1)
        if site.server in ("runserver", "our worker", "uvicorn with --ws"):
            wait_until(lambda: is_reset(stuck), describe=site.process)


def test_a_handler_that_takes_long_costs_its_client_nothing(site: Served) -> None:
    """It is asked for a sign of life meanwhile, behind messages for which nobody has time yet."""
    with site.client() as ann:
        ann.join("room:1")
        for _ in range(5):
            ann.push("pings")
        site.wait_for("works pings")
        if site.server in ASK_OFTEN:
            ann.outlasts_pings(6)
        site.open_gate("pings")
        assert [ann.next("ok")["data"] for _ in range(5)] == [1] * 5


def test_a_client_that_only_listens_may_say_what_it_wants(site: Served) -> None:
    with site.client() as ann:
        ann.join("feed")
        for ref in range(3):
            ann.send(type="push", ref=ref, channel="feed", data={"type": "hello"})
        assert {ann.next("error")["code"] for _ in range(3)} == {"invalid"}
        site.publish(7, 1)
        assert ann.numbers(1) == [7]


def test_what_is_too_large_too_much_or_no_frame_ends_a_socket_with_its_code(site: Served) -> None:
    ends = {}
    for name, texts in {
        "large": ["x" * 70_000],
        "fast": ['{"type":"ping"}'] * 21,
        "no JSON": ["{"],
        "no text": [b"{}"],
    }.items():
        with site.client() as client:
            for text in texts:
                client.socket.send(text)
            ends[name] = client.end()[0]
    assert ends == {"large": 1009, "fast": 4109, "no JSON": 1007, "no text": 1003}


def test_a_token_is_good_until_its_end_and_its_client_is_told_before(site: Served) -> None:
    began = time.time()
    with site.client(subprotocols=["fastforge", "token.1"]) as client:
        assert client.end() == (4100, "the token has ended")
        assert time.time() - began >= 1
        assert "expiring" in [frame["type"] for frame in client.frames]


def test_a_page_of_another_host_is_refused_and_a_plain_route_stands_beside(site: Served) -> None:
    for path in ("channels", "plain"):
        with (
            pytest.raises(InvalidStatus) as refused,
            connect(f"ws://127.0.0.1:{site.port}/{path}", origin=FOREIGN),
        ):
            pass
        assert refused.value.response.status_code == 403
    with connect(f"ws://127.0.0.1:{site.port}/plain") as socket:
        socket.send("hello")
        assert socket.recv(timeout=LIMIT_S) == "hello"


def test_whose_connection_breaks_again_and_again_misses_nothing_and_gets_nothing_twice(
    site: Served,
) -> None:
    got: list[int] = []
    past: dict[str, object] = {}
    for first in range(0, 1000, 200):
        with site.client() as ann:
            past = join_again(ann, past, got)
            site.publish(first, 200)
            got += ann.numbers(100)
            past["last_id"] = ann.frames[-1]["id"]
            ann.break_off()
    with site.client() as ann:
        join_again(ann, past, got)
        got += ann.numbers(1000 - len(got))
    assert got == list(range(1000))


def join_again(client: Client, past: dict[str, object], got: list[int]) -> dict[str, object]:
    answer = client.join("feed", **past)
    assert answer.get("recovered") is (True if past else None)
    if past:
        got += client.numbers(100)
    return {"epoch": answer["epoch"]}
