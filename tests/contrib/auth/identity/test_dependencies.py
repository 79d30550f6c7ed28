"""Who asks, as handlers name it: nobody, somebody, somebody without a scope, somebody's row."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from fastforge import Project, Role
from fastforge.contrib.auth import identity_here
from fastforge.contrib.auth.errors import NoRequest
from fastforge.management.served import served_application
from fastforge.test import client, run_command
from tests.contrib.auth.conftest import PASSWORD, settings
from tests.folder import ProjectFolder

VERIFIERS = """
    from fastforge.contrib.auth import Identity, InvalidToken, TokenVerifier

    class Words(TokenVerifier):
        name = "words"

        def accepts(self, token: str) -> bool:
            return token.startswith("word-")

        async def verify(self, token: str) -> Identity:
            word = token.removeprefix("word-")
            if word == "ended":
                return Identity(id="1", expires_at=1.0)
            if word == "bad":
                raise InvalidToken("it is bad")
            return Identity(
                id={"stranger": "7", "other": "2", "misread": "1_0", "word": "x"}.get(word, "1"),
                version={"old": 9, "stranger": 0}.get(word, 1),
                scopes=frozenset({"orders:read"}),
                is_superuser=word == "root",
            )

    WORDS = Words()
"""
ROUTES = """
    from dataclasses import asdict
    from typing import Annotated

    from fastapi import APIRouter, WebSocket

    from fastforge.contrib.auth import (
        CurrentIdentity, CurrentUser, Identity, OptionalIdentity, OptionalUser, requires,
        requires_superuser,
    )

    router = APIRouter()

    @router.get("/me")
    async def me(me: CurrentIdentity) -> int | str:
        return me.id

    @router.get("/maybe")
    async def maybe(me: OptionalIdentity) -> int | None:
        return None if me is None else me.id

    @router.get("/row")
    async def row(user: CurrentUser) -> str:
        return user.email

    @router.get("/maybe-row")
    async def maybe_row(user: OptionalUser) -> str | None:
        return None if user is None else user.email

    @router.get("/read")
    async def read(me: Annotated[Identity, requires("orders:read")]) -> int:
        return me.id

    @router.get("/write", dependencies=[requires("orders:read", "orders:write")])
    async def write() -> str:
        return "written"

    @router.get("/admin", dependencies=[requires_superuser()])
    async def admin() -> str:
        return "admin"

    @router.websocket("/socket")
    async def socket(socket: WebSocket, me: CurrentIdentity) -> None:
        await socket.accept()
        await socket.send_text(str(me.id))
"""


def write(folder: ProjectFolder, *, auth: str = "") -> Project:
    folder.write(
        {
            "shop/settings.py": settings(auth=auth, apps='"shop.web"'),
            "shop/web/routes.py": ROUTES,
            "shop/web/token_verifiers.py": VERIFIERS,
        }
    )
    return folder.load()


@pytest.fixture
def project(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("FASTFORGE_USER_PASSWORD", PASSWORD)
    project = write(folder)
    assert run_command(project, "migrate").exit_code == 0
    assert run_command(project, "createuser", "ann@example.org").exit_code == 0
    return project


@pytest.fixture
async def http(project: Project) -> AsyncIterator[httpx.AsyncClient]:
    async with client(project) as http:
        yield http


def bearing(word: str) -> dict[str, str]:
    return {"Authorization": f"Bearer word-{word}"}


async def test_nobody_is_a_401_that_says_how(http: httpx.AsyncClient) -> None:
    for path in ("/me", "/row", "/read", "/write", "/admin"):
        answer = await http.get(path)
        assert (answer.status_code, answer.json()["code"]) == (401, "auth.E016")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert (await http.get("/maybe")).json() is None
    assert (await http.get("/maybe-row")).json() is None


async def test_somebody_is_known_by_id_and_by_row(http: httpx.AsyncClient) -> None:
    for path in ("/me", "/maybe", "/read"):
        assert (await http.get(path, headers=bearing("ann"))).json() == 1
    for path in ("/row", "/maybe-row"):
        assert (await http.get(path, headers=bearing("ann"))).json() == "ann@example.org"


async def test_what_is_not_good_is_told_alike_whatever_the_reason(
    http: httpx.AsyncClient,
) -> None:
    answers = [
        await http.get(path, headers={b"Authorization": f"Bearer {token}".encode("latin-1")})
        for path in ("/me", "/maybe")
        for token in ("word-bad", "word-ended", "strange", "two words", "", "x" * 8193, "\xe9")
    ]
    assert {each.status_code for each in answers} == {401}
    assert len({each.text.replace(each.headers["X-Request-ID"], "") for each in answers}) == 1
    assert {each.headers["WWW-Authenticate"] for each in answers} == {
        'Bearer error="invalid_token"'
    }


async def test_two_headers_are_refused_and_those_of_another_scheme_are_none(
    http: httpx.AsyncClient,
) -> None:
    twice = [("Authorization", "Bearer word-ann"), ("Authorization", "Bearer word-root")]
    assert (await http.get("/me", headers=twice)).json()["code"] == "auth.E017"
    basic = {"Authorization": "Basic d29yZDphbm4="}
    assert (await http.get("/me", headers=basic)).json()["code"] == "auth.E016"
    lower = {"authorization": "bearer  word-ann"}
    assert (await http.get("/me", headers=lower)).json() == 1


async def test_a_scope_that_is_missing_is_a_403_that_names_it(http: httpx.AsyncClient) -> None:
    answer = await http.get("/write", headers=bearing("ann"))
    assert (answer.status_code, answer.json()["code"]) == (403, "auth.E018")
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer error="insufficient_scope", scope="orders:write"'
    )
    assert (await http.get("/admin", headers=bearing("ann"))).status_code == 403
    for path in ("/write", "/admin", "/read"):
        assert (await http.get(path, headers=bearing("root"))).status_code == 200


@pytest.mark.parametrize("word", ["misread", "word"])
async def test_an_id_that_is_not_the_text_of_a_key_is_nobody_s(
    http: httpx.AsyncClient, word: str
) -> None:
    """`int("1_0")` is 10, and somebody else."""
    assert (await http.get("/me", headers=bearing(word))).json()["code"] == "auth.E017"


@pytest.mark.parametrize("word", ["stranger", "other", "old"])
async def test_a_row_that_is_not_the_one_of_the_credential_is_a_401(
    http: httpx.AsyncClient, word: str
) -> None:
    """Of somebody who is known elsewhere, who is gone, or who was changed since."""
    assert (await http.get("/me", headers=bearing(word))).status_code == 200
    assert (await http.get("/row", headers=bearing(word))).json()["code"] == "auth.E017"


async def test_the_word_before_the_token_is_a_setting(folder: ProjectFolder) -> None:
    project = write(folder, auth='scheme="Token"')
    async with client(project) as http:
        answer = await http.get("/me", headers={"Authorization": "Token word-ann"})
        assert answer.json() == 1
        answer = await http.get("/me", headers=bearing("ann"))
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Token")


async def test_the_document_says_how_a_credential_is_sent(folder: ProjectFolder) -> None:
    """So that the pages that try requests send one: for another word than Bearer as it is typed."""
    document = served_application(write(folder)).openapi()
    schemes = document["components"]["securitySchemes"]
    assert schemes == {"token": {"type": "http", "scheme": "bearer"}}
    security = {path: each["get"].get("security") for path, each in document["paths"].items()}
    assert security == {
        "/me": [{"token": []}],
        "/maybe": [{}, {"token": []}],
        "/row": [{"token": []}],
        "/maybe-row": [{}, {"token": []}],
        "/read": [{"token": ["orders:read"]}],
        "/write": [{"token": ["orders:read", "orders:write"]}],
        "/admin": [{"token": []}],
    }
    document = served_application(write(folder, auth='scheme="Token"')).openapi()
    assert document["components"]["securitySchemes"]["token"] == {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "The word `Token`, a space, and the token.",
    }


async def test_a_socket_is_somebodys_and_nobodys_is_refused(http: httpx.AsyncClient) -> None:
    async def handshake(headers: list[tuple[bytes, bytes]]) -> list[Any]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "websocket.connect"}

        scope = {
            "type": "websocket", "path": "/socket", "raw_path": b"/socket", "query_string": b"",
            "root_path": "", "scheme": "ws", "http_version": "1.1", "subprotocols": [],
            "headers": [(b"host", b"localhost"), *headers], "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80), "asgi": {"version": "3.0"}, "state": {},
            "extensions": {"websocket.http.response": {}},
        }  # fmt: skip
        await http._transport.app(scope, receive, send)  # type: ignore[attr-defined]
        return sent

    known = await handshake([(b"authorization", b"Bearer word-ann")])
    assert [each["type"] for each in known[:2]] == ["websocket.accept", "websocket.send"]
    assert known[1]["text"] == "1"
    for headers in ([], [(b"authorization", b"Bearer word-bad")]):
        refused = await handshake(headers)
        assert refused[0]["type"] == "websocket.http.response.start"
        assert refused[0]["status"] == 401


async def test_who_asks_is_a_mistake_where_nobody_does(project: Project) -> None:
    async with project.running(Role.COMMAND):
        with pytest.raises(NoRequest, match=r"auth\.E027.*nobody asks here"):
            await identity_here()


async def test_the_reason_of_a_refusal_is_a_line_of_the_log_once_for_each_check(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fastforge.auth")
    for _ in range(3):
        assert (await http.get("/me", headers=bearing("bad"))).status_code == 401
    lines = [each for each in caplog.records if each.getMessage() == "auth.credential_refused"]
    assert [(each.__dict__["reason"], each.__dict__["verifier"]) for each in lines] == [
        ("it is bad", "words")
    ]
    assert "word-bad" not in caplog.text
