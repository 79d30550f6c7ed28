"""F25: a service that others run is silent, away, or breaks off."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fastforge.test.proxy import Proxy

from .conftest import Shop


class Handler(BaseHTTPRequestHandler):
    """Answers with 2000 bytes."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "2000")
        self.end_headers()
        self.wfile.write(b"x" * 2000)

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def upstream() -> Iterator[Proxy]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with Proxy(f"http://127.0.0.1:{server.server_port}/") as proxy:
            yield proxy
        server.shutdown()
        thread.join()


def test_f25_a_silent_upstream_is_504_and_gives_its_connections_back(
    shop: Shop, upstream: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    assert shop.get("/upstream", url=upstream.url).status_code == 200
    upstream.blackhole()
    with ThreadPoolExecutor(8) as pool:  # of two connections
        asked = [pool.submit(shop.get, "/upstream", url=upstream.url) for _ in range(8)]
        assert shop.get("/fast").status_code == 200
        answers = [each.result() for each in asked]
    assert {(each.status_code, each.json()["code"]) for each in answers} == {(504, "http.E002")}
    lines = [each for each in caplog.records if "http.E002" in each.getMessage()]
    assert len(lines) == 8
    assert not any(each.exc_info for each in caplog.records)
    upstream.heal()
    for _ in range(4):
        assert shop.get("/upstream", url=upstream.url).status_code == 200


def test_f25_an_upstream_that_is_away_or_breaks_off_is_502(shop: Shop, upstream: Proxy) -> None:
    upstream.cut_after(500)
    answer = shop.get("/upstream", url=upstream.url)
    assert (answer.status_code, answer.json()["code"]) == (502, "http.E001")
    upstream.heal()
    upstream.refuse()
    answer = shop.get("/upstream", url=upstream.url)
    assert (answer.status_code, answer.json()["code"]) == (502, "http.E001")
    assert str(upstream.port) not in answer.text
