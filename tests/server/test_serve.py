"""One process serves until it is told to stop, and says in one line why it cannot."""

from __future__ import annotations

import signal
import threading

import pytest

from tests.processes import Response, fetch

from .conftest import Site

HANGING = """
import asyncio


async def app(scope, receive, send):
    await receive()
    print("opened", flush=True)
    try:
        await asyncio.sleep(3600)
    finally:
        print("closed", flush=True)
"""

FAILING = """
async def app(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "the cellar is flooded"})
    raise RuntimeError("and here is a traceback")
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_serving_process_gracefully(site: Site, number: signal.Signals) -> None:
    with site.start() as server:
        server.wait_for("up")
        answer = fetch(site.url)
        assert answer is not None
        assert answer.body.startswith("version 1")
        server.send(number)
        assert server.wait() == 0
        assert "down" in server.output


def test_a_request_in_flight_is_answered_after_sigterm(site: Site) -> None:
    answers: list[Response | None] = []
    with site.start() as server:
        server.wait_for("up")
        client = threading.Thread(target=lambda: answers.append(fetch(site.url + "slow")))
        client.start()
        server.wait_for("asked /slow")
        server.terminate()
        client.join()
        assert server.wait() == 0
    assert [answer and answer.status for answer in answers] == [200]


def test_the_second_signal_ends_the_process_at_once(site: Site) -> None:
    with site.start() as server:
        server.wait_for("up")
        client = threading.Thread(target=lambda: fetch(site.url + "never"))
        client.start()
        server.wait_for("asked /never")
        server.terminate()
        while server.alive:
            server.terminate()
        client.join()
        assert server.wait() == -signal.SIGTERM
        assert "down" not in server.output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_cancels_a_start_that_hangs(site: Site, number: signal.Signals) -> None:
    site.folder.write({"site_app.py": HANGING})
    with site.start() as server:
        server.wait_for("opened")
        server.send(number)
        assert server.wait() == 0
        assert server.output == "opened\nclosed\n"


def test_sigterm_ends_an_import_that_hangs(site: Site) -> None:
    text = "import time\nprint('importing', flush=True)\ntime.sleep(3600)\n"
    site.folder.write({"site_app.py": text})
    with site.start() as server:
        server.wait_for("importing")
        server.terminate()
        assert server.wait() == -signal.SIGTERM
        assert server.output == "importing\n"


def test_a_failed_start_is_one_line_and_code_3(site: Site) -> None:
    site.folder.write({"site_app.py": FAILING})
    with site.start() as server:
        assert server.wait() == 3
        assert server.output == "error: the cellar is flooded\n"


@pytest.mark.parametrize(
    ("text", "application", "line"),
    [
        ("app = 1", "site_app:ap", "has no application 'ap'; did you mean 'app'?"),
        ("import nowhere", "site_app:app", "site_app.py:1: site_app does not load: Module"),
        ("def f(:", "site_app:app", "site_app.py:1: site_app does not load: SyntaxError"),
        ("\n1 / 0", "site_app:app", "site_app.py:1: site_app does not load: ZeroDivision"),
        ("", "other:app", "other does not load: ModuleNotFoundError"),
    ],
)
def test_an_application_that_does_not_load_is_one_line_and_code_3(
    site: Site, text: str, application: str, line: str
) -> None:
    site.folder.write({"site_app.py": text})
    with site.start(application=application) as server:
        assert server.wait() == 3
        assert line in server.output
        assert server.output.count("\n") == 1


def test_the_socket_is_taken_before_the_application_is_loaded(site: Site) -> None:
    site.folder.write(
        {"slow_app.py": "import time\nprint('importing', flush=True)\ntime.sleep(99)"}
    )
    with site.start(application="slow_app:app") as first:
        first.wait_for("importing")
        with site.start() as second:
            assert second.wait() == 1
            assert "[server.E001]" in second.output
            assert f"(pid {first.pid})" in second.output


def test_headers_of_proxies_are_not_believed_and_the_server_is_not_named(site: Site) -> None:
    echo = """
        async def app(scope, receive, send):
            if scope["type"] == "lifespan":
                await receive()
                await send({"type": "lifespan.startup.complete"})
                print("up", flush=True)
                await receive()
                await send({"type": "lifespan.shutdown.complete"})
                return
            await send({"type": "http.response.start", "status": 200, "headers": []})
            body = scope["client"][0].encode() + b" " + scope["scheme"].encode()
            await send({"type": "http.response.body", "body": body})
        """
    site.folder.write({"site_app.py": echo})
    with site.start() as server:
        server.wait_for("up")
        headers = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https"}
        import httpx

        answer = httpx.get(site.url, headers=headers)
        assert answer.text == "127.0.0.1 http"
        assert "server" not in answer.headers
