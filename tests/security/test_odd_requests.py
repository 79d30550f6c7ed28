"""Whatever somebody sends: an answer, no failure of ours, and no secret in the log."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final
from urllib.parse import quote, urlsplit

import pytest

from fastforge.contrib.auth.terminal import PASSWORD_VARIABLE
from fastforge.test import run_command
from fastforge.test.server import live_server
from tests.folder import ProjectFolder, isolated
from tests.request_path.wire import ask

PASSWORD: Final = "plum-kettle-9"
FILES: Final = {
    "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
    "shop/settings.py": """
        from fastforge.conf import App

        SECRET_KEY = "k8Zq1vN0yT-4sWbJm7RcXo2LhUfEa9Gd"
        INSTALLED_APPS = [
            "fastforge.contrib.db",
            "fastforge.contrib.auth",
            "fastforge.contrib.auth.default_user",
            "fastforge.contrib.sessions",
            "fastforge.contrib.static",
            App("fastforge.contrib.auth.api", prefix="/auth"),
            App("shop.web", prefix="/web"),
        ]
        DATABASES = {"default": {"url": "sqlite+aiosqlite:///db.sqlite3"}}
        TASKS = {"backend": "memory"}
        TRUSTED_PROXIES = ["127.0.0.1"]
        CORS = {"allow_origins": ["https://pages.example"], "allow_credentials": True}
        """,
    "shop/web/routes.py": """
        from fastapi import APIRouter, Form, UploadFile

        from fastforge.cache import cached
        from fastforge.contrib.auth import CurrentUser, OptionalIdentity
        from fastforge.contrib.sessions import Session
        from fastforge.web import safe_redirect

        router = APIRouter()

        @router.get("/who")
        async def who(identity: OptionalIdentity) -> bool:
            return identity is not None

        @router.get("/user")
        async def user(user: CurrentUser) -> str:
            return user.email

        @router.post("/cart")
        async def cart(session: Session, count: int = 1) -> None:
            session.set("count", count)

        @router.get("/cart")
        async def seen(session: Session) -> int | None:
            return await session.get("count", type=int)

        @router.get("/go")
        async def go(next: str = "/"):
            return safe_redirect(next)

        @router.post("/form")
        async def form(name: str = Form()) -> str:
            return name

        @router.post("/file")
        async def file(file: UploadFile) -> str | None:
            return file.filename

        @router.get("/page/{path:path}", dependencies=[cached(ttl_s=5)])
        async def page(path: str) -> str:
            return path
        """,
}
TARGETS: Final = (
    "GET /web/who", "GET /web/user", "GET /web/cart", "GET /web/go?next=*", "GET /web/page/*",
    "GET /auth/me", "GET /static/*", "GET /readyz?verbose=*", "GET /openapi.json", "GET /*",
    "POST /web/cart?count=*", "POST /web/form", "POST /web/file", "POST /auth/login",
    "POST /auth/refresh", "POST /auth/logout", "POST /auth/password", "OPTIONS /web/cart",
    "HEAD /web/page/*", "PATCH /auth/me", "TRACE /web/who", "BREW /web/who",
)  # fmt: skip
ODD: Final = (
    "", "\0", "\xff\xfe", "..", "../../etc/passwd", "a" * 3000, "☃", "\r\nX: y", "//evil.example",
    "-1", "1e99", "9" * 30, "NaN", "{}", "[]", "'", '"', ";=", "%", "\\\\evil", "a=b; c", "null",
)  # fmt: skip
HEADERS: Final = (
    "Authorization", "Cookie", "X-Forwarded-For", "X-Forwarded-Proto", "X-Request-ID", "Origin",
    "Sec-Fetch-Site", "X-CSRF-Token", "Content-Type", "Accept", "Accept-Encoding", "Range",
    "If-None-Match", "If-Modified-Since", "traceparent", "baggage", "Expect", "Upgrade",
    "Access-Control-Request-Method", "Forwarded",
)  # fmt: skip
VALUES: Final = (
    *ODD, "Bearer", "Bearer \xff", "Bearer a.b.c", "Bearer eyJhbGciOiJub25lIn0.e30.", "Basic YTpi",
    "__Host-session=x", '__Host-session="\\303"', "https://pages.example", "cross-site",
    "1.1.1.1,,", "application/json; charset=x", "multipart/form-data",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded", "bytes=-1", "bytes=9-1,a-", 'W/"x"', "*", "not a date",
    "websocket", "100-continue", "text/html;q=x", "[::1]:80", "https",
)  # fmt: skip
BODIES: Final = (
    b"", b"{", b"null", b"[]", b'{"login":"\\ud800"}', b"\xff\xfe", b"name=%ff%00", b"[" * 5000,
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="../\xff"\r\n\r\na\r\n--x--\r\n',
    b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--\r\n", b"--x", b"x" * 1_100_000,
)  # fmt: skip
FIELDS: Final = ("login", "password", "refresh_token", "current_password", "new_password", "id")
TEXTS: Final[tuple[Any, ...]] = (*ODD, "ann@example.org", "ann@example.org\0", None, 1.5, [], {})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProjectFolder]:
    with isolated(tmp_path_factory.mktemp("odd")) as folder:
        folder.write(FILES)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(PASSWORD_VARIABLE, PASSWORD)
            assert run_command(folder.load(), "migrate").exit_code == 0
            assert run_command(folder.load(), "createuser", "ann@example.org").exit_code == 0
        yield folder


class Stranger:
    """Sends what chance gives, the same for the same seed, and knows a good token."""

    def __init__(self, port: int, token: str, seed: int) -> None:
        self.port = port
        self.token = token
        self.random = random.Random(seed)

    def request(self) -> bytes:
        choice, chance = self.random.choice, self.random.random
        method, target = choice(TARGETS).split()
        target = target.replace("*", quote(choice(ODD), safe="/%"))
        body = b"" if method in {"GET", "HEAD"} else self.body()
        lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close"]
        lines.append(f"Content-Length: {len(body)}")
        lines += [f"{name}: {choice(VALUES)}" for name in self.random.sample(HEADERS, k=2)]
        lines += ["Content-Type: application/json"] * (chance() < 0.5)
        lines += [f"Authorization: Bearer {choice((self.token, self.token[:-1]))}"] * (
            chance() < 0.3
        )
        clean = [line.replace("\r\n", " ").replace("☃", "\xe2") for line in lines]
        return "\r\n".join((*clean, "", "")).encode("latin-1") + body

    def body(self) -> bytes:
        if self.random.random() < 0.4:
            return self.random.choice(BODIES)
        return json.dumps({field: self.random.choice(TEXTS) for field in FIELDS[:3]}).encode()

    def status_of(self, request: bytes) -> int:
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as wire:
            with suppress(ConnectionError):  # it may be refused before it is sent whole
                wire.sendall(request)
            received = b""
            with suppress(ConnectionError):
                while more := wire.recv(65536):
                    received += more
        return int(received[9:12])


def token_of_ann(port: int) -> str:
    body = json.dumps({"login": "ann@example.org", "password": PASSWORD}).encode()
    headers = ("Content-Type: application/json",)
    token: str = ask(port, "POST", "/auth/login", headers=headers, body=body).json["access_token"]
    return token


@pytest.mark.parametrize("count", [300, pytest.param(20_000, marks=pytest.mark.long)])
def test_whatever_is_sent_is_answered_and_fails_nothing(
    folder: ProjectFolder, count: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with live_server(folder.load()) as url:
        port = int(urlsplit(url).port or 0)
        token = token_of_ann(port)
        stranger = Stranger(port, token, seed=count)
        for _ in range(count):
            request = stranger.request()
            status = stranger.status_of(request)
            assert 100 <= status < 500, request[:2000]
    written = "".join(capfd.readouterr())
    assert token not in written and PASSWORD not in written
