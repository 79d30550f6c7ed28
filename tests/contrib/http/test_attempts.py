"""Calls that may be repeated are, and a host that is away is left alone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx
import pytest

from fastforge.contrib.http import (
    Client,
    ExternalHttp,
    Http,
    HttpHost,
    UpstreamAway,
    UpstreamLate,
    UpstreamRefused,
    call_options,
    http_client,
    traced,
)
from fastforge.contrib.http.external.connections import ExternalConnections
from fastforge.lifecycle import BreakerOpen, BreakerState, Role, breaker_gauges
from tests.folder import isolated
from tests.processes import free_port

from .internet import Site, answer, running

Open = Callable[..., Client]
QUICK: dict[str, Any] = {"retry_pause_s": 0.001, "timeout_s": 30, "connect_timeout_s": 30}


@pytest.fixture
async def client() -> AsyncIterator[Open]:
    """`client(**settings)`: one with the settings HTTP."""
    async with AsyncExitStack() as stack:

        def open_client(**settings: Any) -> Client:
            config = Http(**{**QUICK, **settings})
            made = Client(
                config=config, external=ExternalHttp(), connections=ExternalConnections(1),
                timeout=httpx.Timeout(config.timeout_s),
            )  # fmt: skip
            stack.push_async_callback(made.aclose)
            return made

        yield open_client


def url_of(site: Site) -> str:
    return f"http://127.0.0.1:{site.port}/"


def in_turn(*answers: bytes) -> Callable[[str], bytes]:
    """The answers, and the last for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


BUSY = answer(b"", status=503)


# --- retries -------------------------------------------------------------------------------------


async def test_nothing_is_repeated_unless_the_settings_say_so(client: Open, site: Site) -> None:
    site.respond = lambda _: BUSY
    assert (await client().get(url_of(site))).status_code == 503
    assert len(site.requests) == 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_what_may_pass_is_tried_again(client: Open, site: Site, status: int) -> None:
    site.respond = in_turn(answer(b"", status=status), answer(b"", status=status), answer())
    assert (await client(retries=2).get(url_of(site))).text == "hello"
    assert len(site.requests) == 3


@pytest.mark.parametrize("status", [200, 301, 400, 404, 500, 501])
async def test_what_is_an_answer_is_not(client: Open, site: Site, status: int) -> None:
    site.respond = lambda _: answer(b"", status=status)
    assert (await client(retries=2).get(url_of(site))).status_code == status
    assert len(site.requests) == 1


async def test_the_last_answer_is_handed_over(client: Open, site: Site) -> None:
    site.respond = lambda _: BUSY
    assert (await client(retries=3).get(url_of(site))).status_code == 503
    assert len(site.requests) == 4


async def test_a_connection_that_breaks_before_the_answer_is_made_again(
    client: Open, site: Site
) -> None:
    site.respond = in_turn(b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", answer())
    assert (await client(retries=2).get(url_of(site))).text == "hello"
    assert len(site.requests) == 3


async def test_a_host_that_is_not_there_is_tried_again_and_the_log_counts(
    client: Open, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "fastforge.http")
    port = free_port()
    with pytest.raises(UpstreamAway):
        await client(retries=2).get(f"http://127.0.0.1:{port}/secret?token=abc")
    lines = [each.getMessage() for each in caplog.records if each.name == "fastforge.http"]
    assert [line.partition(", ")[2] for line in lines] == [
        "1 of 2: ConnectError", "2 of 2: ConnectError"
    ]  # fmt: skip
    assert all(line.startswith(f"GET 127.0.0.1:{port} is tried again in ") for line in lines)
    assert "secret" not in caplog.text


async def test_only_what_does_nothing_twice_is_repeated(client: Open, site: Site) -> None:
    site.respond = lambda _: BUSY
    calling = client(retries=1)
    counts = {}
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "PATCH"):
        site.requests.clear()
        await calling.request(method, url_of(site))
        counts[method] = len(site.requests)
    once = {"POST": 1, "PATCH": 1}
    assert counts == {"GET": 2, "HEAD": 2, "OPTIONS": 2, "PUT": 2, "DELETE": 2} | once


async def test_a_key_says_that_a_post_does_nothing_twice_and_the_body_is_sent_again(
    client: Open, site: Site
) -> None:
    site.respond = in_turn(BUSY, answer())
    headers = {"Idempotency-Key": "order-7"}
    answered = await client(retries=1).post(url_of(site), json={"id": 7}, headers=headers)
    assert answered.status_code == 200
    assert [site.header("idempotency-key", n) for n in (0, 1)] == ["order-7", "order-7"]
    assert [site.header("content-length", n) for n in (0, 1)] == ["8", "8"]


async def test_a_body_that_exists_once_is_sent_once(client: Open, site: Site) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"once"

    site.respond = lambda _: BUSY
    assert (await client(retries=3).put(url_of(site), content=parts())).status_code == 503
    assert len(site.requests) == 1


async def test_a_service_that_is_late_is_not_asked_to_begin_again(client: Open) -> None:
    asked = 0

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()

    site = Site()
    site.handle = silent  # type: ignore[method-assign]
    async with running(site):
        with pytest.raises(UpstreamLate):
            await client(retries=3, timeout_s=0.2).get(url_of(site))
    assert asked == 1


async def test_a_host_that_says_when_is_asked_then(
    client: Open, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "fastforge.http")
    later = answer(b"", status=429, headers=[("retry-after", "1")])
    passed = answer(b"", status=503, headers=[("retry-after", formatdate(0, usegmt=True))])
    broken = answer(b"", status=503, headers=[("retry-after", "soon")])
    endless = f"Mon, 01 Jan 2024 00:00:00 +{'9' * 20}"  # a zone that no date has room for
    absurd = answer(b"", status=503, headers=[("retry-after", endless)])
    site.respond = in_turn(passed, broken, absurd, later, answer())
    assert (await client(retries=4).get(url_of(site))).status_code == 200
    pauses = [each.args[1] for each in caplog.records if isinstance(each.args, tuple)]
    assert [float(f"{pause:.2f}") for pause in pauses if isinstance(pause, float)] == [0, 0, 0, 1]


async def test_one_that_wants_to_be_left_alone_for_long_is(client: Open, site: Site) -> None:
    site.respond = lambda _: answer(b"", status=503, headers=[("retry-after", "3")])
    answered = await client(retries=3, max_retry_pause_s=2).get(url_of(site))
    assert (answered.status_code, len(site.requests)) == (503, 1)


async def test_no_attempt_begins_when_the_time_is_over(client: Open, site: Site) -> None:
    site.respond = lambda _: BUSY
    await client(retries=10, retry_budget_s=0.000_001).get(url_of(site))
    assert len(site.requests) == 1


async def test_each_attempt_has_a_span_that_says_which_it_is(
    client: Open, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans: list[Any] = []

    @contextlib.contextmanager
    def recorded(name: str, *, kind: str, attributes: dict[str, Any]) -> Iterator[Any]:
        spans.append(attributes.get("http.request.resend_count"))
        yield _Span()

    monkeypatch.setattr(traced, "is_traced", lambda: True)
    monkeypatch.setattr(traced, "span", recorded)
    site.respond = lambda _: BUSY
    await client(retries=2).get(url_of(site))
    assert spans == [None, 1, 2]


class _Span:
    def set_attribute(self, key: str, value: Any) -> None: ...

    def fail(self, error_type: str) -> None: ...


# --- for one host, and for one call --------------------------------------------------------------


async def test_hosts_and_calls_have_their_own(client: Open, site: Site) -> None:
    site.respond = lambda _: BUSY
    calling = client(retries=1, hosts={"127.0.0.1": HttpHost(retries=2)})
    for url, options, expected in (
        (url_of(site), {}, 3),
        (url_of(site).replace("127.0.0.1", "localhost"), {}, 2),
        (url_of(site), call_options(retries=0), 1),
        (url_of(site), call_options(retries=4), 5),
        (url_of(site), call_options(breaker=False), 3),
    ):
        site.requests.clear()
        await calling.get(url, extensions=options)
        assert len(site.requests) == expected


# --- breakers ------------------------------------------------------------------------------------


async def test_a_host_that_fails_is_left_alone_and_found_back(client: Open, site: Site) -> None:
    site.respond = lambda _: answer(b"", status=500)
    calling = client(breaker=True, breaker_failures=3)
    for _ in range(3):
        assert (await calling.get(url_of(site))).status_code == 500
    for _ in range(5):
        with pytest.raises(UpstreamRefused) as caught:
            await calling.get(url_of(site))
    assert len(site.requests) == 3
    assert (caught.value.status, caught.value.retry_after_s) == (503, 1)
    assert isinstance(caught.value, BreakerOpen)
    assert isinstance(caught.value, httpx.ConnectError)
    assert f"GET 127.0.0.1:{site.port} answers 500" in caught.value.message
    site.respond = lambda _: answer()
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(UpstreamRefused):
                assert (await calling.get(url_of(site))).text == "hello"
                break
            await asyncio.sleep(0.02)
    assert (await calling.get(url_of(site))).text == "hello"


async def test_one_that_is_late_or_not_there_is_too_and_others_are_not(
    client: Open, site: Site
) -> None:
    calling = client(breaker=True, breaker_failures=2, timeout_s=0.1)
    site.handle = _never  # type: ignore[method-assign]
    async with running(site):
        for url, kind in ((url_of(site), UpstreamLate), (_nowhere(), UpstreamAway)):
            for expected in (kind, kind, UpstreamRefused):
                with pytest.raises(expected):
                    await calling.get(url)


async def _never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        await reader.read()
    writer.close()


def _nowhere() -> str:
    return f"http://127.0.0.1:{free_port()}/"


async def test_an_answer_that_is_the_callers_fault_opens_nothing(client: Open, site: Site) -> None:
    calling = client(breaker=True, breaker_failures=1)
    damaged = answer(b"not gzip", headers=[("content-encoding", "gzip")])
    site.respond = in_turn(answer(b"", status=404), answer(b"", status=429), damaged, answer())
    for _ in range(2):
        await calling.get(url_of(site))
    with pytest.raises(httpx.DecodingError):
        await calling.get(url_of(site))
    assert (await calling.get(url_of(site))).text == "hello"


async def test_attempts_end_when_the_breaker_opens(client: Open, site: Site) -> None:
    site.respond = lambda _: BUSY
    with pytest.raises(UpstreamRefused):
        await client(retries=10, breaker=True, breaker_failures=3).get(url_of(site))
    assert len(site.requests) == 3


async def test_breakers_are_told_of_and_there_are_only_so_many(tmp_path: Path, site: Site) -> None:
    """What is given up first is closed and was not needed for longest."""
    settings = """
        from fastforge.contrib.http import Http

        INSTALLED_APPS = ["fastforge.contrib.http"]
        HTTP = Http(breaker=True, breaker_failures=1, max_breakers=2)
        """
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": settings})
        async with folder.load().running(Role.COMMAND) as container:
            http = container[http_client]
            away = _nowhere()
            with pytest.raises(UpstreamAway):
                await http.get(away)
            for host in ("127.0.0.1", "localhost", "127.0.0.2"):
                with contextlib.suppress(UpstreamAway):
                    await http.get(url_of(site).replace("127.0.0.1", host))
            gauges = breaker_gauges()
    open_one = f"http {away.split('/')[2]}"
    assert list(gauges) == [open_one, f"http 127.0.0.2:{site.port}"]
    assert gauges[open_one].state is BreakerState.OPEN
