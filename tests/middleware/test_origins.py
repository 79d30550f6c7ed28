"""A socket is opened by pages of the same host and of named origins, and by nobody else's."""

from __future__ import annotations

from typing import Any

import pytest

from fastforge.middleware.origins import SocketOrigins

from .asgi import Served
from .test_entrance import talk

HOST = b"shop.example"


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (b"https://shop.example", HOST),
        (b"http://shop.example", b"shop.example:8000"),
        (b"https://shop.example:8443", HOST),
        (b"https://SHOP.example", b"Shop.Example."),
        (b"http://localhost:5173", b"127.0.0.1:8000"),
        (b"http://[::1]:5173", b"localhost"),
        (b"http://[fd00::1]:80", b"[fd00::1]:8000"),
        (b"https://pages.example", HOST),
        (b"https://a.pages.example", HOST),
    ],
)
def test_pages_of_the_same_host_and_named_ones_may(origin: bytes, host: bytes) -> None:
    allows = SocketOrigins(["https://pages.example"], r"https://[a-z]+\.pages\.example")
    assert allows(origin, host=host)


@pytest.mark.parametrize(
    "origin",
    [
        b"https://evil.example",
        b"null",
        b"",
        b"shop.example",
        b"https://shop.example.evil.example",
        b"https://evil-shop.example",
        b"https://shop.example@evil.example",
        b"https://evil.example/shop.example",
        b"https://evil.example#shop.example",
        b"https://shop.example/",
        b"https://sub.shop.example",
        b"http://pages.example",
        b"https://pages.example:444",
        b"https://pages.example.evil.example",
        b"https://evil.example, https://shop.example",
        b"file://",
        b"\xff\xfe",
    ],
)
def test_others_may_not(origin: bytes) -> None:
    allows = SocketOrigins(["https://pages.example"], r"https://[a-z]+\.pages\.example")
    assert not allows(origin, host=HOST)


def test_a_star_lets_every_page_in() -> None:
    assert SocketOrigins(["*"])(b"https://evil.example", host=HOST)


@pytest.mark.parametrize("can_answer", [True, False])
@pytest.mark.parametrize("origins", [[b"https://evil.example"], [b"https://shop.example"] * 2])
async def test_a_socket_of_another_page_is_refused_before_the_application_hears_of_it(
    origins: list[bytes], can_answer: bool
) -> None:
    async def never(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("the application was asked")

    served = Served(never, allows_socket=SocketOrigins())
    extensions: dict[str, Any] = {"websocket.http.response": {}} if can_answer else {}
    headers = [(b"host", HOST), *((b"origin", origin) for origin in origins)]
    heard = await served.connect(headers=headers, extensions=extensions)
    if can_answer:
        assert (heard.status, b"evil" in heard.body) == (403, False)
    else:
        assert heard.messages == [{"type": "websocket.close", "code": 1008}]
    (line,) = served.lines
    assert (line["status_code"], line["code"]) == (403, "middleware.E006")


async def test_whoever_is_no_browser_sends_no_origin_and_goes_on() -> None:
    served = Served(talk, allows_socket=SocketOrigins())
    await served.connect({"type": "websocket.disconnect", "code": 1000}, headers=[(b"host", HOST)])
    assert [line["status_code"] for line in served.lines] == [101]
