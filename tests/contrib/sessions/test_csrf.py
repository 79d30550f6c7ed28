"""Who may send what changes something, by Sec-Fetch-Site, Origin, token and method."""

from __future__ import annotations

import itertools
import logging
from collections.abc import AsyncIterator

import httpx
import pytest

from fastforge import Project
from fastforge.contrib.sessions.csrf import csrf_exempt
from fastforge.contrib.sessions.errors import SessionError
from fastforge.contrib.sessions.forms import token_of_part
from fastforge.contrib.sessions.origins import Sender, sender_of
from fastforge.test import client

from .shop import ANN, PASSWORD, log_in

URL = "https://shop.example"
SITES = (None, "same-origin", "none", "same-site", "cross-site", "nonsense")
ORIGINS = (None, URL, "https://evil.example", "https://app.example", "null")
METHODS = ("GET", "POST", "PATCH", "DELETE")
TOKENS = ("none", "right", "wrong", "other")


@pytest.fixture
async def http(project: Project) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which Ann has logged in; it says nothing of where a request comes from."""
    trusting = project.overriding(
        settings={"SESSIONS": {"trusted_origins": ["https://app.example"]}}
    )
    async with client(trusting, base_url=URL) as http:
        await log_in(http)
        yield http


def sent(site: str | None, origin: str | None, token: str = "") -> dict[str, str]:
    headers = {"Sec-Fetch-Site": site, "Origin": origin, "X-CSRF-Token": token}
    return {name: value for name, value in headers.items() if value}


def is_allowed(method: str, site: str | None, origin: str | None, token: str) -> bool:
    """The rule in other words than those of the code."""
    if method == "GET" or origin == "https://app.example":
        return True
    if site is not None:
        return site in ("same-origin", "none")
    if origin in (None, "null"):
        return token == "right"
    return origin == URL


async def test_every_combination_of_what_tells_who_has_sent_a_request(
    http: httpx.AsyncClient,
) -> None:
    tokens = {
        "none": "",
        "right": (await http.get("/token")).json(),
        "wrong": "A" * 64,
        "other": (await http.get("/token", headers={"Cookie": "__Host-session="})).json(),
    }
    wrong = []
    for method, site, origin, token in itertools.product(METHODS, SITES, ORIGINS, TOKENS):
        answer = await http.request(method, "/anything", headers=sent(site, origin, tokens[token]))
        expected = 200 if is_allowed(method, site, origin, token) else 403
        if answer.status_code != expected:
            wrong.append((method, site, origin, token, answer.status_code))
    assert wrong == []


async def test_a_page_of_another_site_can_do_nothing_with_the_cookie(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer does not tell how to get past it, the log tells why."""
    with caplog.at_level(logging.WARNING, "fastforge.sessions"):
        answer = await http.post("/act", headers=sent("cross-site", "https://evil.example"))
    assert answer.status_code == 403
    assert answer.json()["code"] == "sessions.E014"
    assert "trusted_origins" not in answer.text
    (line,) = [each for each in caplog.records if each.message == "sessions.csrf_refused"]
    assert line.__dict__["reason"] == "foreign"


async def test_what_authenticates_with_a_header_or_not_at_all_is_not_asked(
    http: httpx.AsyncClient,
) -> None:
    foreign = sent("cross-site", "https://evil.example")
    webhook = await http.post("/webhook", headers=foreign)
    assert webhook.status_code == 200
    bearer = await http.post("/act", headers={**foreign, "Authorization": "Bearer nonsense"})
    assert bearer.status_code == 401  # by the header, not for its sender
    bearer = await http.post("/cart/7", headers={**foreign, "Authorization": "Bearer nonsense"})
    assert bearer.status_code == 200  # no page sends that header which CORS does not let
    basic = await http.post("/act", headers={**foreign, "Authorization": "Basic YTpi"})
    assert basic.status_code == 403  # browsers send that one by themselves


async def test_a_handler_may_be_exempt(http: httpx.AsyncClient) -> None:
    foreign = sent("cross-site", "https://evil.example")
    assert (await http.post("/exempt", headers=foreign)).json() == 1


def test_only_a_function_is_exempt() -> None:
    with pytest.raises(SessionError) as caught:
        csrf_exempt(URL)  # type: ignore[type-var]
    assert caught.value.code == "sessions.E015"


async def test_another_site_cannot_log_a_browser_in_as_somebody_else(project: Project) -> None:
    """Nobody has a session yet; the login would give it the attacker's."""
    async with client(project, base_url=URL) as http:
        answer = await http.post(
            "/login",
            params={"email": ANN, "password": PASSWORD},
            headers=sent("cross-site", "https://evil.example"),
        )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("form", ["plain", "multipart", "multipart with a file"])
async def test_a_form_sends_the_token_as_a_field(http: httpx.AsyncClient, form: str) -> None:
    """And the handler reads the form as if nobody had read it before."""
    token = (await http.get("/token")).json()

    async def send(token: str) -> httpx.Response:
        fields = {"email": ANN, "password": PASSWORD, "csrf_token": token}
        files = {name: (None, value) for name, value in fields.items()}
        if form == "plain":
            return await http.post("/form-login", data=fields)
        upload = {"picture": ("a.png", b"\r\n" * 999)} if "file" in form else {}
        return await http.post("/form-login", files={**upload, **files})

    assert (await send("A" * 64)).status_code == 403
    answer = await send(token)
    assert (answer.status_code, answer.text) == (200, "1")
    assert (await send(token)).status_code == 403  # the login has made it worthless


class Counted(bytes):
    """A body that counts how many bytes a search has passed."""

    passed = 0

    def find(self, wanted: bytes, start: int = 0) -> int:  # type: ignore[override]
        found = super().find(wanted, start)
        self.passed += (len(self) if found < 0 else found) - start
        return found


@pytest.mark.parametrize(
    "piece", [b'name="csrf_token"\r\n', b'name="csrf_token"\r\n\r\n', b'name="csrf_token"\r\n\r\nA']
)
def test_a_body_takes_time_by_its_length_and_not_by_the_square_of_it(piece: bytes) -> None:
    """Half a megabyte of lines that begin a part would else hold up the process for minutes."""
    body = Counted(piece * (512 * 1024 // len(piece)))
    assert token_of_part(body) == ""
    assert body.passed <= 3 * len(body)


async def test_a_body_that_is_too_large_to_be_looked_through_reaches_the_handler_whole(
    http: httpx.AsyncClient,
) -> None:
    token = (await http.get("/token")).json()
    body = b"text=" + b"x" * 1_500_000
    headers = {"X-CSRF-Token": token, "Content-Type": "application/x-www-form-urlencoded"}
    assert (await http.post("/size", content=body, headers=headers)).json() == len(body)
    del headers["X-CSRF-Token"]
    refused = await http.post(
        "/size", content=body + b"&csrf_token=" + token.encode(), headers=headers
    )
    assert refused.status_code == 403


@pytest.mark.parametrize(
    ("scheme", "host", "origin", "sender"),
    [
        ("https", "shop.example", "https://shop.example", Sender.OURS),
        ("https", "shop.example", "https://shop.example:443", Sender.OURS),
        ("https", "shop.example", "https://SHOP.example", Sender.OURS),
        ("https", "shop.example", "http://shop.example", Sender.FOREIGN),
        ("http", "shop.example", "https://shop.example", Sender.OURS),
        ("http", "localhost:8000", "http://localhost:8000", Sender.OURS),
        ("http", "localhost:8000", "http://localhost:9000", Sender.FOREIGN),
        ("http", "[::1]:8000", "http://[::1]:8000", Sender.OURS),
        ("wss", "shop.example", "https://shop.example", Sender.OURS),
        ("https", "shop.example", "https://shop.example.evil.example", Sender.FOREIGN),
        ("https", "shop.example", "https://evil.example#shop.example", Sender.FOREIGN),
        ("https", "shop.example", "https://shop.example@evil.example", Sender.FOREIGN),
        ("https", "shop.example", "https://shop.example:99999999", Sender.FOREIGN),
        ("https", "shop.example", "https://[::1", Sender.FOREIGN),
        ("https", "shop.example", "", Sender.FOREIGN),
        ("https", "", "https://", Sender.FOREIGN),
        ("https", "shop.example", "file://", Sender.FOREIGN),
    ],
)
def test_an_origin_is_ours_if_it_is_the_host_that_was_asked(
    scheme: str, host: str, origin: str, sender: Sender
) -> None:
    headers = [(b"host", host.encode()), (b"origin", origin.encode())]
    scope = {"type": "http", "scheme": scheme, "method": "POST", "headers": headers}
    assert sender_of(scope, ()) is sender


def test_a_header_that_is_there_twice_is_nobody_s() -> None:
    for name in (b"origin", b"sec-fetch-site"):
        headers = [(b"host", b"a"), (name, b"https://a"), (name, b"same-origin")]
        scope = {"type": "http", "scheme": "https", "method": "POST", "headers": headers}
        assert sender_of(scope, ()) is Sender.FOREIGN
