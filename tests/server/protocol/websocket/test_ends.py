"""A socket ends when it should, and its client hears why."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.processes import wait_until
from tests.request_path.site import Site, serving

from .conftest import end_of, files, is_reset, opened, unread


@pytest.mark.parametrize(("path", "code"), [("/returns", 1000), ("/raises", 1011)])
def test_a_handler_that_ends_closes_its_socket(site: Site, path: str, code: int) -> None:
    with opened(site.port, path) as client:
        assert end_of(client) == (code, "")
    assert site.line(path=path)["close_code"] == code


def test_a_client_that_stops_to_read_is_cut_and_its_handler_freed(site: Site) -> None:
    with unread(site.port, "/flood") as client:
        output = site.process.wait_for("flood ended: WebSocketDisconnect ")
        wait_until(lambda: is_reset(client), describe=site.process)
    sent = re.findall(r"flood ended: WebSocketDisconnect (\d+)", output)
    assert int(sent[-1]) * 50_000 < 600_000  # the kernel alone would keep three million bytes
    assert site.line(path="/flood")["close_code"] == 1006


def test_a_handler_that_closes_a_socket_whose_client_reads_nothing_waits_for_nobody(
    site: Site,
) -> None:
    with unread(site.port, "/crowd") as client:
        output = site.process.wait_for("waiting: ")
        waiting = re.findall(r"waiting: (\d+)", output)
        assert int(waiting[-1]) < 65536 + 2 * 20000  # one message beyond the bound, not a hundred
        wait_until(lambda: is_reset(client), describe=site.process)


def test_a_client_that_does_not_confirm_the_close_is_left(site: Site) -> None:
    with unread(site.port, "/returns") as client:
        received = b""
        while part := client.recv(4096):  # until the server closes the connection
            received += part
        assert received.endswith(b"\x88\x02" + struct.pack("!H", 1000))


def test_a_message_that_is_too_large_or_no_text_closes_the_socket(site: Site) -> None:
    with opened(site.port, "/echo") as client:
        client.send("x" * 100_001)
        assert end_of(client)[0] == 1009
    with opened(site.port, "/echo") as client:
        client.send(b"\xff\xfe", text=True)
        assert end_of(client) == (1007, "text is not UTF-8")
    assert "Traceback" not in site.process.output.partition("no price")[0]


def test_headers_that_its_parser_does_not_take_are_refused_and_not_ignored(site: Site) -> None:
    with (
        pytest.raises(InvalidStatus) as refusal,
        connect(f"ws://127.0.0.1:{site.port}/echo", additional_headers={"Cookie": "x" * 9000}),
    ):
        pass
    assert refusal.value.response.status_code == 431


def test_a_handshake_that_is_refused_with_a_status_is_no_error_of_the_server(site: Site) -> None:
    """At each deployment many are: with 503, while the server stops."""
    url = f"ws://127.0.0.1:{site.port}/echo?refused"
    with pytest.raises(InvalidStatus) as refusal, connect(url, origin=Origin("http://evil.test")):
        pass
    assert refusal.value.response.status_code == 403
    assert site.line(path="/echo", status_code=403)["code"] == "middleware.E006"
    site.line_of(site.get("/ready"))  # what it had to say has been said by now
    assert "without completing" not in site.process.output


def test_a_client_whose_messages_nobody_receives_is_kept(site: Site) -> None:
    """A ping goes out twice a second, and has to be answered within half a one."""
    with opened(site.port, "/ticks") as client:
        for _ in range(1000):  # more than the server reads ahead
            client.send("x" * 100)
        for _ in range(40):  # two seconds
            assert client.recv(timeout=60) == "tick"


def test_messages_in_pieces_and_of_every_length_come_as_they_were_sent(site: Site) -> None:
    with opened(site.port, "/echo") as client:
        for length in (0, 125, 126, 65535, 65536, 100_000):
            client.send("x" * length)
            assert client.recv(timeout=60) == "x" * length
        client.send(["ab"] * 2000)
        assert client.recv(timeout=60) == "ab" * 2000


def test_an_application_writes_frames_and_cuts_its_socket(site: Site) -> None:
    with opened(site.port, "/frames") as client:
        lengths = [len(client.recv(timeout=60)) for _ in range(5)]
        assert lengths == [0, 125, 126, 65535, 65536]
        site.wait_for("written: 5")
        client.send("go on")
        assert end_of(client) == (None, "")
    site.wait_for("'code': 1006, 'reason': ''} False")
    line = site.line(path="/frames")
    assert (line["messages_out"], line["close_code"]) == (5, 1006)


def test_compression_is_off_though_every_client_asks_for_it(site: Site) -> None:
    with opened(site.port, "/echo") as client:
        assert client.protocol.extensions == []


def test_a_socket_that_has_ended_leaves_nothing_for_the_garbage_collector(tmp_path: Path) -> None:
    routes = """
        import gc

        from fastapi import APIRouter, WebSocket

        router = APIRouter()

        @router.get("/ready")
        async def ready():
            return {}

        @router.websocket("/echo")
        async def echo(socket: WebSocket):
            await socket.accept()
            async for text in socket.iter_text():
                await socket.send_text(text)

        @router.get("/rest")
        async def rest():
            gc.disable()
            gc.collect()

        @router.get("/garbage")
        async def garbage():
            gc.set_debug(gc.DEBUG_SAVEALL)
            gc.collect()
            kinds = {type(each).__module__ for each in gc.garbage}
            # Of what a request had, the one for rest has ended since, and is no socket.
            http = "uvicorn.protocols.http"
            kinds -= {f"{http}.httptools_impl", f"{http}.flow_control"}
            return sorted(each for each in kinds if "protocol" in each)
        """
    with serving(tmp_path, files() | {"shop/prices/routes.py": routes}) as site:
        with opened(site.port, "/echo"):
            pass  # what is made once is there from now on
        site.get("/rest")
        for _ in range(5):
            with opened(site.port, "/echo") as client:
                client.send("x")
                assert client.recv(timeout=60) == "x"
        wait_until(lambda: len(site.lines) >= 8, describe=site.process)
        assert site.get("/garbage").json == []
