"""A server that is told to stop answers everything that has reached it, and ends soon."""

from __future__ import annotations

import http.client
import socket
import threading

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.processes import Response, fetch, wait_until

from .conftest import APPLICATION, Site
from .load import Load

NO_UVLOOP = "raise ImportError('not in this test')\n"

SOCKETS = """
import asyncio


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        print("up", flush=True)
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        print("socket ended", flush=True)
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"data: 1\\n\\n", "more_body": True})
            await asyncio.sleep(0.05)
"""

PROJECT = {
    "shop/settings.py": 'INSTALLED_APPS = ["shop.orders"]\n',
    "shop/asgi.py": """
        from fastforge.asgi import get_asgi_application

        app = get_asgi_application(settings_module="shop.settings")
        """,
    "shop/orders/routes.py": """
        import asyncio
        from fastapi import APIRouter
        from fastforge.lifecycle import current_container

        router = APIRouter()

        @router.get("/slow")
        async def slow() -> None:
            print("in flight", flush=True)
            while not current_container().draining:
                await asyncio.sleep(0.01)
        """,
}


def version(number: int) -> str:
    loop = "type(asyncio.get_running_loop()).__module__"
    text = APPLICATION.replace("VERSION = 1", f"VERSION = {number}")
    return text.replace('print("asked", scope["path"], flush=True)', "").replace(
        'f"version {VERSION} pid', f'f"version {{VERSION}} {{{loop}}} pid'
    )


@pytest.fixture(params=["uvloop", pytest.param("asyncio", marks=pytest.mark.long)])
def event_loop_name(site: Site, request: pytest.FixtureRequest) -> str:
    """The event loop that the site is served on."""
    name: str = request.param
    if name == "asyncio":
        site.folder.write({"uvloop.py": NO_UVLOOP})
    return name


def reload_under_load(site: Site, event_loop_name: str, *, times: int) -> Load:
    site.folder.write({"site_app.py": version(1)})
    with site.start("reload") as server:
        wait_until(lambda: fetch(site.url), describe=server)
        with Load(site.port, threads=8) as load:
            for number in range(2, times + 2):
                site.folder.write({"site_app.py": version(number)})
                beginning = f"version {number} {event_loop_name}"
                wait_until(lambda: beginning in str(fetch(site.url)), describe=server)  # noqa: B023
        assert not load.failures
    return load


def test_a_reload_resets_and_refuses_no_request(site: Site, event_loop_name: str) -> None:
    load = reload_under_load(site, event_loop_name, times=2)
    assert load.answered


@pytest.mark.long
def test_twenty_reloads_reset_and_refuse_no_request(site: Site, event_loop_name: str) -> None:
    load = reload_under_load(site, event_loop_name, times=20)
    assert load.answered > 100


def test_a_connection_that_has_not_spoken_yet_is_answered(site: Site, event_loop_name: str) -> None:
    with site.start() as server:
        server.wait_for("up")
        with socket.create_connection(("127.0.0.1", site.port)) as silent:
            fetch(site.url)  # accepted in the order of arrival: by now the silent one is too
            server.terminate()
            refused(site)
            silent.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = silent.makefile("rb").read().decode().lower()
            assert answer.startswith("http/1.1 200")
            assert "\r\nconnection: close\r\n" in answer
        assert server.wait() == 0


def test_an_idle_connection_is_answered_once_more(site: Site, event_loop_name: str) -> None:
    with site.start() as server:
        server.wait_for("up")
        connection = http.client.HTTPConnection("127.0.0.1", site.port)
        connection.request("GET", "/")
        first = connection.getresponse()
        first.read()
        assert first.getheader("connection") is None
        server.terminate()
        refused(site)
        connection.request("GET", "/")
        second = connection.getresponse()
        assert (second.status, second.getheader("connection")) == (200, "close")
        second.read()
        assert server.wait() == 0


def test_a_project_that_is_told_to_stop_is_not_ready_and_sends_its_clients_away(
    site: Site,
) -> None:
    site.folder.write(PROJECT)
    answers: list[Response | None] = []
    with site.start(application="shop.asgi:app") as server:
        wait_until(lambda: fetch(f"{site.url}readyz"), describe=server)
        idle = http.client.HTTPConnection("127.0.0.1", site.port)
        assert asked(idle, "/readyz") == (200, [])
        slow = threading.Thread(target=lambda: answers.append(fetch(f"{site.url}slow")))
        slow.start()
        server.wait_for("in flight")
        server.terminate()
        refused(site)
        assert asked(idle, "/readyz") == (503, ["close"])
        slow.join()
        assert server.wait() == 0
    assert answers[0] is not None
    assert (answers[0].status, answers[0].headers["connection"]) == (200, "close")


def asked(connection: http.client.HTTPConnection, path: str) -> tuple[int, list[str]]:
    """The status of an answer and its `Connection` headers."""
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.headers.get_all("connection", [])


def refused(site: Site) -> None:
    """Wait until the server has closed its listener."""
    wait_until(lambda: fetch(site.url) is None)


def test_an_open_web_socket_hears_1012_and_holds_up_no_reload(site: Site) -> None:
    site.folder.write({"site_app.py": SOCKETS})
    with site.start("reload") as server:
        server.wait_for("up")
        with connect(site.url.replace("http", "ws")) as client:
            site.folder.write({"site_app.py": SOCKETS + "\n# edited\n"})
            with pytest.raises(ConnectionClosed) as closed:
                client.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        wait_until(lambda: server.output.count("up\n") == 2, describe=server)
        assert "socket ended" in server.output
        assert "Traceback" not in server.output


def test_an_endless_stream_is_cancelled_without_a_traceback(site: Site) -> None:
    site.folder.write({"site_app.py": SOCKETS})
    with site.start("reload") as server:
        server.wait_for("up")
        connection = http.client.HTTPConnection("127.0.0.1", site.port)
        connection.request("GET", "/events")
        stream = connection.getresponse()
        assert stream.read(9) == b"data: 1\n\n"
        site.folder.write({"site_app.py": SOCKETS + "\n# edited\n"})
        wait_until(lambda: server.output.count("up\n") == 2, describe=server)
        assert "GET /events: cut, still running 1.5 s after" in server.output
        assert "Traceback" not in server.output
        connection.close()


def test_an_answer_that_takes_long_is_given_the_time(site: Site) -> None:
    answers: list[str] = []
    with site.start("reload") as server:
        server.wait_for("up")
        slow = threading.Thread(target=lambda: answers.append(str(fetch(f"{site.url}slow"))))
        slow.start()
        server.wait_for("asked /slow")
        site.folder.write({"site_app.py": APPLICATION.replace("VERSION = 1", "VERSION = 2")})
        slow.join()
    assert "version 1" in answers[0]
