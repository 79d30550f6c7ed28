"""Who may go on, who is asking, and how many at a time; sockets pass the same door."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fastforge.middleware.proxies import TrustedProxies
from fastforge.observability.context import request_id

from .asgi import Served, hello

HOST = (b"host", b"localhost")
LOCAL: dict[str, Any] = {"allows_host": lambda host: host == b"localhost"}
PROXIED: dict[str, Any] = {"client_of": TrustedProxies(["192.0.2.0/24"]).client_of}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([HOST], 200),
        ([(b"host", b"other.example")], 400),
        ([HOST, HOST], 400),
        ([], 400),
        ([HOST, *[(b"x", b"1")] * 9], 200),
        ([HOST, *[(b"x", b"1")] * 10], 431),
        ([HOST, (b"x", b"1" * 180)], 200),
        ([HOST, (b"x", b"1" * 200)], 431),
    ],
)
async def test_a_request_that_may_not_go_on_is_refused_with_its_id_and_line(
    headers: list[tuple[bytes, bytes]], status: int
) -> None:
    served = Served(hello, max_headers=10, max_header_bytes=200, **LOCAL)
    heard = await served.get(headers=headers)
    assert heard.status == status
    (line,) = served.lines
    assert (line["status_code"], line["request_id"]) == (status, heard.headers["x-request-id"])
    assert b"other.example" not in heard.body


async def test_without_rules_every_request_goes_on() -> None:
    assert (await Served(hello).get(headers=[HOST, HOST])).status == 200


async def test_one_request_too_many_is_told_when_to_come_back() -> None:
    gate = asyncio.Event()

    async def waiting(scope: Any, receive: Any, send: Any) -> None:
        await gate.wait()
        if scope["path"] == "/raises":
            raise LookupError
        await hello(scope, receive, send)

    served = Served(waiting, concurrency_limit=2, probes={"/livez": hello})
    first = asyncio.create_task(served.get("/raises"))
    second = asyncio.create_task(served.get())
    while served.state.in_flight < 2:
        await asyncio.sleep(0)
    refused = await served.get()
    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    assert (await served.get("/livez")).status == 200
    second.cancel()
    gate.set()
    results = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(each) for each in results] == [LookupError, asyncio.CancelledError]
    assert (await served.get()).status == 200
    assert served.state.in_flight == 0


@pytest.mark.parametrize(("path", "root_path"), [("/livez", ""), ("/v1/livez", "/v1")])
async def test_a_probe_is_answered_before_all_rules_and_without_a_line(
    path: str, root_path: str
) -> None:
    served = Served(hello, probes={"/livez": hello}, **LOCAL)
    heard = await served.get(path, root_path=root_path, headers=[(b"host", b"10.0.0.7")])
    assert heard.status == 200
    assert heard.headers["x-request-id"]
    assert served.lines == []


async def test_a_probe_that_fails_has_a_line() -> None:
    async def unavailable(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    served = Served(hello, probes={"/readyz": unavailable})
    await served.get("/readyz")
    assert [line["status_code"] for line in served.lines] == [503]


@pytest.mark.parametrize(
    ("sent", "is_kept"),
    [
        ([b"a" * 64], True),
        ([b"Az0.9_-"], True),
        ([b"a" * 65], False),
        ([b""], False),
        ([b"a b"], False),
        ([b"a\x1b[31m"], False),
        ([b"\xff"], False),
        ([b"one", b"two"], False),
    ],
)
async def test_an_id_is_taken_over_from_a_trusted_proxy_if_it_is_one(
    sent: list[bytes], is_kept: bool
) -> None:
    seen = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        seen.append((request_id.get(), scope["state"]["request_id"]))
        await hello(scope, receive, send)

    served = Served(inner, **PROXIED)
    headers = [HOST, *((b"x-request-id", each) for each in sent)]
    answered = (await served.get(headers=headers)).headers["x-request-id"]
    assert seen == [(answered, answered)]
    assert (answered.encode() == sent[0]) == is_kept
    stranger = await served.get(headers=headers, client=("198.51.100.1", 1))
    assert stranger.headers["x-request-id"].encode() not in sent


async def test_the_client_that_trusted_proxies_tell_is_in_the_scope_and_on_the_line() -> None:
    seen = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["client"], scope["scheme"]))
        await hello(scope, receive, send)

    served = Served(inner, https_headers=((b"strict-transport-security", b"1"),), **PROXIED)
    told = [HOST, (b"x-forwarded-for", b"6.6.6.6, 203.0.113.7"), (b"x-forwarded-proto", b"https")]
    answer = await served.get(headers=told)
    assert answer.headers["strict-transport-security"] == "1"
    await served.get(headers=told, client=("198.51.100.1", 1))
    await served.get(headers=[HOST])
    assert seen == [
        (("203.0.113.7", 0), "https"),
        (("198.51.100.1", 1), "http"),
        (("192.0.2.1", 40000), "http"),
    ]
    assert [line["client"] for line in served.lines] == [
        "203.0.113.7", "198.51.100.1", "192.0.2.1",
    ]  # fmt: skip


# --- sockets -------------------------------------------------------------------------------------


async def talk(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def test_a_socket_has_one_line_when_it_is_over() -> None:
    served = Served(talk, concurrency_limit=1)
    text = {"type": "websocket.receive", "text": "hello"}
    heard = await served.connect(text, {"type": "websocket.disconnect", "code": 1001})
    (line,) = served.lines
    assert (line["method"], line["status_code"], line["close_code"]) == ("WEBSOCKET", 101, 1001)
    assert heard.headers == {"x-request-id": line["request_id"]}


async def test_a_socket_that_the_application_closes_tells_its_code() -> None:
    async def closing(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 4001})

    served = Served(closing)
    await served.connect()
    assert [line["close_code"] for line in served.lines] == [4001]


async def test_a_socket_that_is_not_accepted_was_forbidden() -> None:
    async def closing(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.close", "code": 1008})

    served = Served(closing)
    await served.connect()
    assert [line["status_code"] for line in served.lines] == [403]


async def test_a_socket_that_fails_says_so() -> None:
    async def failing(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        raise LookupError

    served = Served(failing)
    with pytest.raises(LookupError):
        await served.connect()
    (line,) = served.lines
    assert (line["status_code"], line["failure"], line["level"]) == (101, "LookupError", "error")


@pytest.mark.parametrize("can_answer", [True, False])
async def test_a_socket_under_another_host_is_refused(can_answer: bool) -> None:
    served = Served(talk, **LOCAL)
    extensions: dict[str, Any] = {"websocket.http.response": {}} if can_answer else {}
    heard = await served.connect(headers=[(b"host", b"other.example")], extensions=extensions)
    kind = "websocket.http.response.start" if can_answer else "websocket.close"
    assert heard.messages[0]["type"] == kind
    assert [line["status_code"] for line in served.lines] == [400 if can_answer else 403]
