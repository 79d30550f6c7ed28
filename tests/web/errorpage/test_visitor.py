"""The page is for a browser on this machine, and for nobody who may only look like one."""

from __future__ import annotations

from typing import Any

import pytest

from fastforge.web.errorpage.visitor import may_see

HERE = ("127.0.0.1", 50000)


def scope(*headers: tuple[str, str], client: Any = HERE, kind: str = "http") -> dict[str, Any]:
    usual = {"host": "localhost:8000", "accept": "text/html,*/*;q=0.8"}
    pairs = [*usual.items(), *headers]
    given = {name for name, _ in headers}
    pairs = [pair for pair in pairs if pair in headers or pair[0] not in given]
    encoded = [(name.encode(), value.encode()) for name, value in pairs]
    return {"type": kind, "client": client, "headers": encoded}


@pytest.mark.parametrize(
    "request_scope",
    [
        scope(),
        scope(client=("::1", 1)),
        scope(client=("127.9.9.9", 1)),
        scope(client=("::ffff:127.0.0.1", 1)),
        scope(("host", "127.0.0.1:8000")),
        scope(("host", "[::1]:8000")),
        scope(("host", "shop.localhost")),
        scope(("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")),
        scope(("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")),
    ],
)
def test_a_browser_on_this_machine_sees_it(request_scope: dict[str, Any]) -> None:
    assert may_see(request_scope)


@pytest.mark.parametrize(
    "request_scope",
    [
        scope(client=("10.0.0.7", 1)),
        scope(client=("203.0.113.7", 1)),
        scope(client=("testclient", 1)),
        scope(client=None),
        scope(("x-forwarded-for", "127.0.0.1")),
        scope(("x-forwarded-for", "127.0.0.1"), client=("127.0.0.1", 0)),
        scope(("x-real-ip", "127.0.0.1")),
        scope(("forwarded", "for=127.0.0.1")),
        scope(("via", "1.1 proxy")),
        scope(("host", "shop.example")),
        scope(("host", "127.0.0.1.evil.example")),
        scope(("host", "localhost.evil.example")),
        scope(("host", "10.0.0.7:8000")),
        scope(("host", "localhost"), ("host", "localhost")),
        scope(("host", "")),
        scope(("accept", "*/*")),
        scope(("accept", "application/json, text/html;q=0.9")),
        scope(("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors")),
        scope(kind="websocket"),
    ],
)
def test_nobody_else_does(request_scope: dict[str, Any]) -> None:
    assert not may_see(request_scope)
