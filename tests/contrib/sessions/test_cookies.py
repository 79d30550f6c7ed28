"""The cookie: what it looks like, that it changes, and that nothing else will do."""

from __future__ import annotations

import re
import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest

from fastforge import Project
from fastforge.contrib.sessions import Sessions
from fastforge.contrib.sessions.cookies import Cookies
from fastforge.contrib.sessions.secrets import Secrets
from fastforge.test import client
from tests.folder import ProjectFolder

from .shop import ANN, KEY, OTHER_KEY, PASSWORD, browser, log_in, secret_of, settings, with_secret

LOGIN = {"email": ANN, "password": PASSWORD}
SECRET = r"fsu_[A-Za-z0-9_-]{76}"


def secrets_of(*keys: str) -> Secrets:
    fake = {"SECRET_KEY": keys[0], "SECRET_KEY_FALLBACKS": [*keys[1:]]}
    return Secrets.of(fake)  # type: ignore[arg-type]


def flags(name: str, *others: str) -> str:
    return "; ".join([f"{name}={SECRET}", "Path=/", *others])


@pytest.mark.parametrize(
    ("environment", "url", "cookie"),
    [
        (
            "production",
            "https://shop.example",
            flags("__Host-session", "Max-Age=7776000", "HttpOnly", "SameSite=Lax", "Secure"),
        ),
        (
            "development",
            "http://127.0.0.1:8000",
            flags("session", "Max-Age=7776000", "HttpOnly", "SameSite=Lax"),
        ),
    ],
)
async def test_what_a_browser_is_told(
    folder: ProjectFolder, database: Path, environment: str, url: str, cookie: str
) -> None:
    shutil.copy(database, folder.path / "db.sqlite3")
    project = folder.load({"FASTFORGE_ENV": environment})
    async with browser(project, url) as http:
        answer = await http.post("/login", params=LOGIN)
        assert re.fullmatch(cookie, answer.headers["set-cookie"])
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["vary"] == "Cookie"
        gone = await http.post("/logout", headers={"Cookie": answer.headers["set-cookie"]})
    name, *others = re.sub(r" Max-Age=\d+;", "", answer.headers["set-cookie"]).split("; ")
    expected = [f"{name.split('=')[0]}=", *others]
    assert gone.headers["set-cookie"].replace(" Max-Age=0;", "").split("; ") == expected


@pytest.mark.parametrize(
    ("environment", "scheme", "config", "cookie"),
    [
        # Behind a proxy that the settings do not know.
        ("production", "http", Sessions(), "__Host-session=x; Max-Age=9; SameSite=Lax; Secure"),
        ("development", "https", Sessions(), "__Host-session=x; Max-Age=9; SameSite=Lax; Secure"),
        ("development", "wss", Sessions(), "__Host-session=x; Max-Age=9; SameSite=Lax; Secure"),
        (
            "development",
            "http",
            Sessions(same_site="none"),
            "__Host-session=x; Max-Age=9; SameSite=None; Secure",
        ),
        (
            "production",
            "https",
            Sessions(is_persistent=False, same_site="strict"),
            "__Host-session=x; SameSite=Strict; Secure",
        ),
        ("production", "http", Sessions(secure=False), "session=x; Max-Age=9; SameSite=Lax"),
    ],
)
def test_what_the_settings_make_of_it(
    environment: str, scheme: str, config: Sessions, cookie: str
) -> None:
    settings = SimpleNamespace(environment=environment, section=lambda _: config)
    cookies = Cookies.of(settings)  # type: ignore[arg-type]
    _, header = cookies.write({"scheme": scheme}, "x", max_age_s=9)
    text = header.decode().replace(" Path=/;", "").replace(" HttpOnly;", "")
    assert text == cookie
    name = cookie.partition("=")[0]
    sent = [(b"cookie", f"a=b; {name}=one; {name}=two".encode())]
    assert cookies.read({"scheme": scheme, "headers": sent}) == "one"


async def test_who_has_planted_a_cookie_before_the_login_is_left_behind(project: Project) -> None:
    """Fixation: the login says another secret, and what was known before is nobody's."""
    async with browser(project) as victim, browser(project) as attacker:
        await attacker.post("/cart/7")
        planted = secret_of(attacker)
        victim.cookies.set("__Host-session", planted, domain="shop.example")
        assert (await victim.get("/cart")).json() == [7]
        assert await log_in(victim) != planted
        assert (await victim.get("/me")).json()["id"] == 1
        assert (await attacker.get("/me")).status_code == 401
        assert (await attacker.get("/cart")).json() == []


async def test_every_login_and_every_rotation_says_another_secret(project: Project) -> None:
    async with browser(project) as http:
        known = [await log_in(http), await log_in(http)]
        assert (await http.post("/rotate")).status_code == 200
        known.append(secret_of(http))
        assert len({*known}) == 3
        assert (await http.get("/me")).status_code == 200
        for each in known[:2]:
            assert (await http.get("/me", headers=with_secret(http, each))).status_code == 401


async def test_the_cookie_of_another_project_and_that_of_the_table_are_worth_nothing(
    project: Project, folder: ProjectFolder, statements: list[str]
) -> None:
    """Nor is a guess: no database is asked about any of them."""
    async with browser(project) as http:
        secret = await log_in(http)
        with sqlite3.connect(folder.path / "db.sqlite3") as db:
            ((key_hash, whole),) = db.execute(
                "SELECT key_hash, quote(id) || quote(data) FROM sessions_stored_session"
            ).fetchall()
        assert secret not in whole
        statements.clear()
        forged = [
            secrets_of(OTHER_KEY).new(for_user=True),
            f"fsu_{secrets_of(KEY).new(for_user=False)[4:]}",
            f"fsu_{key_hash.hex()}",
            key_hash.hex(),
            secret[:-1] + ("A" if secret[-1] != "A" else "B"),
            secret + "A",
            secret.lower(),
            "fsu_" + "é" * 76,
            "fsu_" + "A" * 76,
            "fsu_",
        ]
        for each in forged:
            header = with_secret(http, each)
            answer = await http.get("/me", headers=header)
            assert answer.status_code == 401
            assert (await http.get("/cart", headers=header)).json() == []
        assert [each for each in statements if "session" in each] == []


async def test_a_secret_of_an_older_key_counts_until_that_key_is_gone(
    folder: ProjectFolder, database: Path
) -> None:
    shutil.copy(database, folder.path / "db.sqlite3")
    folder.write({"shop/settings.py": settings(key=OTHER_KEY)})
    async with browser(folder.load()) as http:
        secret = await log_in(http)
    for fallbacks, status in (([OTHER_KEY], 200), ([], 401)):
        keys = {"SECRET_KEY": KEY, "SECRET_KEY_FALLBACKS": fallbacks}
        async with browser(folder.load().overriding(settings=keys)) as http:
            answer = await http.get("/me", headers=with_secret(http, secret))
            assert answer.status_code == status


async def test_a_bearer_header_that_authenticates_goes_before_the_cookie(project: Project) -> None:
    async with browser(project) as http:
        await log_in(http)
        refused = await http.get("/me", headers={"Authorization": "Bearer nonsense"})
        assert refused.status_code == 401
        basic = await http.get("/me", headers={"Authorization": "Basic YTpi"})
        assert basic.status_code == 200


@pytest.mark.parametrize(
    ("path", "vary", "control"),
    [("/free", None, None), ("/maybe", "Cookie", "no-store"), ("/cart", "Cookie", "no-store")],
)
async def test_an_answer_that_depends_on_the_cookie_says_so(
    project: Project, path: str, vary: str | None, control: str | None
) -> None:
    async with browser(project) as http:
        stranger = await http.get(path)
        assert stranger.headers.get("vary") == vary
        assert "cache-control" not in stranger.headers  # it is everybody's who has no session
        await log_in(http)
        known = await http.get(path)
    assert (known.headers.get("vary"), known.headers.get("cache-control")) == (vary, control)


async def test_a_cached_answer_is_never_one_of_somebody_s_session(project: Project) -> None:
    async with browser(project) as http, browser(project) as other:
        await http.post("/cart/7")
        assert (await http.get("/cached-cart")).json() == [7]
        assert (await other.get("/cached-cart")).json() == []


async def test_the_cookie_of_another_application_is_no_business_of_ours(project: Project) -> None:
    async with client(project, base_url="http://localhost:8000") as http:
        answer = await http.get("/maybe", headers={"Cookie": "session=eyJjYXJ0IjpbXX0.another"})
    assert answer.json() == "nobody"
    assert "set-cookie" not in answer.headers
