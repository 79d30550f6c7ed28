"""Log in, go on, log out: the routes of those who have an account."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fastforge.checks import run_checks
from fastforge.contrib.auth.library import Argon2Hasher
from fastforge.test import client
from tests.folder import ProjectFolder

from .conftest import NEW, PASSWORD, SETTINGS, Shop


async def test_a_login_gives_tokens_that_say_who_one_is(shop: Shop) -> None:
    answer = await shop.post("/auth/login", login=" ANN@example.org", password=PASSWORD)
    pair = answer.json()
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert (pair["token_type"], pair["expires_in"], pair["scope"]) == ("Bearer", 900, "")
    me = await shop.me(pair["access_token"])
    assert me.headers["Cache-Control"] == "no-store"
    told = me.json()
    assert told.pop("email_verified_at")
    assert told == {
        "id": 1,
        "login": "ann@example.org",
        "email": "ann@example.org",
        "is_superuser": False,
        "scopes": [],
    }


async def test_whoever_is_refused_hears_the_same_and_costs_one_hash(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.change("is_active = 1")
    hashed: list[str] = []
    for name in ("verify", "hash"):
        original: Any = getattr(Argon2Hasher, name)

        def counted(self: Any, *given: str, original: Any = original) -> Any:
            hashed.append("one")
            return original(self, *given)

        monkeypatch.setattr(Argon2Hasher, name, counted)
    wrong = await shop.post("/auth/login", login="ann@example.org", password=NEW)
    unknown = await shop.post("/auth/login", login="bob@example.org", password=NEW)
    shop.change("is_active = 0")
    inactive = await shop.post("/auth/login", login="ann@example.org", password=PASSWORD)
    answers = [wrong, unknown, inactive]
    assert [each.status_code for each in answers] == [401, 401, 401]
    assert {each.headers["WWW-Authenticate"] for each in answers} == {"Bearer"}
    bodies = [{**each.json(), "request_id": ""} for each in answers]
    assert bodies[0]["code"] == "auth.E057"
    assert bodies[0] == bodies[1] == bodies[2]
    assert len(hashed) == 3


async def test_a_guard_answers_before_anything_else(shop: Shop) -> None:
    login = await shop.post("/auth/login", login="flood@example.org", password=PASSWORD)
    reset = await shop.post("/auth/password/reset", email="Flood@example.org")
    verify = await shop.post("/auth/email/verify", email="flood@example.org")
    register = await shop.post("/auth/register", email="flood@example.org")
    at_once = await shop.post("/open/register", email="flood@example.org", password=PASSWORD)
    for answer in (login, reset, verify, register, at_once):
        assert answer.status_code == 429
        assert answer.headers["Retry-After"] == "60"
    assert await shop.letters() == []


async def test_a_refresh_token_is_good_once_and_its_second_use_ends_the_login(shop: Shop) -> None:
    first = await shop.log_in()
    second = (await shop.post("/auth/refresh", refresh_token=first["refresh_token"])).json()
    third = (await shop.post("/auth/refresh", refresh_token=second["refresh_token"])).json()
    assert (await shop.me(third["access_token"])).status_code == 200
    stolen = await shop.post("/auth/refresh", refresh_token=first["refresh_token"])
    assert stolen.status_code == 401
    again = await shop.post("/auth/refresh", refresh_token=third["refresh_token"])
    assert again.status_code == 401


async def test_logging_out_ends_this_login_alone(shop: Shop) -> None:
    here, there = await shop.log_in(), await shop.log_in()
    for pair in (here, there):
        assert (await shop.me(pair["access_token"])).status_code == 200
    assert (await shop.post("/auth/logout", here["access_token"])).status_code == 204
    assert (await shop.me(here["access_token"])).status_code == 401
    refreshed = await shop.post("/auth/refresh", refresh_token=here["refresh_token"])
    assert refreshed.status_code == 401
    assert (await shop.me(there["access_token"])).status_code == 200


async def test_a_refresh_token_logs_out_where_the_access_token_has_ended(shop: Shop) -> None:
    pair = await shop.log_in()
    answers = [
        await shop.post("/auth/logout", refresh_token=pair["refresh_token"]) for _ in range(2)
    ]
    assert [each.status_code for each in answers] == [204, 204]
    refreshed = await shop.post("/auth/refresh", refresh_token=pair["refresh_token"])
    assert refreshed.status_code == 401
    assert (await shop.post("/auth/logout")).status_code == 401


async def test_logging_out_everywhere(shop: Shop) -> None:
    here, there = await shop.log_in(), await shop.log_in()
    assert (await shop.post("/auth/logout/all", here["access_token"])).status_code == 204
    for pair in (here, there):
        assert (await shop.me(pair["access_token"])).status_code == 401
    refreshed = await shop.post("/auth/refresh", refresh_token=there["refresh_token"])
    assert refreshed.status_code == 401


async def test_another_password_ends_all_logins_and_goes_on_with_a_new_pair(shop: Shop) -> None:
    here, there = await shop.log_in(), await shop.log_in()
    wrong = await shop.post(
        "/auth/password", here["access_token"], current_password=NEW, new_password=NEW
    )
    assert (wrong.status_code, wrong.json()["code"]) == (403, "auth.E055")
    weak = await shop.post(
        "/auth/password", here["access_token"], current_password=PASSWORD, new_password="1234"
    )
    assert (weak.status_code, weak.json()["code"]) == (422, "auth.E010")
    changed = await shop.post(
        "/auth/password", here["access_token"], current_password=PASSWORD, new_password=NEW
    )
    assert changed.status_code == 200
    assert (await shop.me(changed.json()["access_token"])).status_code == 200
    assert [each.subject for each in await shop.letters()] == ["Neues Passwort"]
    for old in (here, there):
        assert (await shop.me(old["access_token"])).status_code == 401
        refreshed = await shop.post("/auth/refresh", refresh_token=old["refresh_token"])
        assert refreshed.status_code == 401
    await shop.log_in(NEW)


async def test_an_api_key_is_no_login(shop: Shop) -> None:
    """It sees whose it is; it neither ends logins nor gets tokens."""
    pair = await shop.log_in()
    key = (await shop.post("/key", pair["access_token"])).json()
    assert (await shop.me(key)).status_code == 200
    change = {"current_password": PASSWORD, "new_password": NEW}
    answers = [
        await shop.post("/auth/logout", key),
        await shop.post("/auth/logout/all", key),
        await shop.post("/auth/password", key, **change),
    ]
    assert [(each.status_code, each.json()["code"]) for each in answers] == [(403, "auth.E058")] * 3
    assert (await shop.me(pair["access_token"])).status_code == 200
    # Another password leaves it; a reset, of whoever is locked out, does not.
    assert (await shop.post("/auth/password", pair["access_token"], **change)).status_code == 200
    assert (await shop.me(key)).status_code == 200
    await shop.letters()
    await shop.post("/auth/password/reset", email="ann@example.org")
    token = await shop.mailed_token()
    done = await shop.post("/auth/password/reset/confirm", token=token, password=PASSWORD)
    assert done.status_code == 204
    assert (await shop.me(key)).status_code == 401


ELSEWHERE = """
    from fastforge.contrib.auth import Identity, TokenVerifier

    class Partners(TokenVerifier):
        name = "partners"

        def accepts(self, token: str) -> bool:
            return token == "partner"

        async def verify(self, token: str) -> Identity:
            return Identity(id="1")

    PARTNERS = Partners()
"""


async def test_whoever_is_known_elsewhere_ends_no_login_of_the_one_who_has_their_number(
    folder: ProjectFolder,
) -> None:
    folder.write({"shop/token_verifiers.py": ELSEWHERE})
    async with client(folder.load()) as http:
        given = {"login": "ann@example.org", "password": PASSWORD}
        token = (await http.post("/auth/login", json=given)).json()["access_token"]
        partner = {"Authorization": "Bearer partner"}
        for path in ("/auth/logout/all", "/auth/logout"):
            assert (await http.post(path, headers=partner)).status_code == 403
        mine = {"Authorization": f"Bearer {token}"}
        assert (await http.get("/auth/me", headers=mine)).status_code == 200


async def test_a_cookie_gets_no_tokens_and_ends_with_all_logins(shop: Shop) -> None:
    async def own() -> int:
        return (await shop.http.get("/auth/me")).status_code

    pages = {"Sec-Fetch-Site": "same-origin"}
    for end in ("logout", "reset"):
        login = await shop.http.post("/cookie", headers=pages)
        assert (login.status_code, await own()) == (200, 200)
        change = {"current_password": PASSWORD, "new_password": NEW}
        refused = await shop.http.post("/auth/password", json=change, headers=pages)
        assert (refused.status_code, refused.json()["code"]) == (403, "auth.E058")
        if end == "logout":
            assert (await shop.http.post("/auth/logout/all", headers=pages)).status_code == 204
        else:
            body = {"email": "ann@example.org"}
            await shop.http.post("/auth/password/reset", json=body, headers=pages)
            given = {"token": await shop.mailed_token(), "password": PASSWORD}
            path = "/auth/password/reset/confirm"
            assert (await shop.http.post(path, json=given, headers=pages)).status_code == 204
        assert await own() == 401


@pytest.mark.parametrize("path", ["/auth/me", "/auth/logout", "/auth/logout/all"])
async def test_nobody_is_asked_to_log_in(shop: Shop, path: str) -> None:
    method = "GET" if path == "/auth/me" else "POST"
    answer = await shop.http.request(method, path)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_what_is_sent_is_never_repeated(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    secret = "hush-hush-4711-hush"
    answers = [
        await shop.post("/auth/login", login=secret, password=secret),
        await shop.post("/auth/login", login="a", password=secret, more=secret),
        await shop.post("/auth/refresh", refresh_token=secret),
        await shop.post("/auth/logout", refresh_token=secret),
        await shop.post("/auth/password/reset/confirm", token=secret, password=secret),
        await shop.post("/auth/register/confirm", token=secret, password=secret),
        await shop.post("/auth/email/verify/confirm", token=secret),
        await shop.post("/open/register", email=secret, password=secret),
    ]
    assert [each.status_code for each in answers] == [401, 422, 401, 204, 400, 400, 400, 422]
    assert not any(secret in each.text for each in answers)
    assert secret not in caplog.text


async def test_the_document_has_each_route_with_its_answer_and_the_authorize_button(
    shop: Shop,
) -> None:
    document = (await shop.http.get("/openapi.json")).json()
    paths = document["paths"]
    assert {path for path in paths if path.startswith("/auth")} == {
        "/auth/email/verify",
        "/auth/email/verify/confirm",
        "/auth/login",
        "/auth/logout",
        "/auth/logout/all",
        "/auth/me",
        "/auth/password",
        "/auth/password/reset",
        "/auth/password/reset/confirm",
        "/auth/refresh",
        "/auth/register",
        "/auth/register/confirm",
    }
    (scheme,) = document["components"]["securitySchemes"]
    secured = {
        path
        for path, operations in paths.items()
        for operation in operations.values()
        if path.startswith("/auth") and {scheme: []} in operation.get("security", [])
    }
    assert secured == {"/auth/me", "/auth/logout", "/auth/logout/all", "/auth/password"}


def test_every_route_states_who_may_ask(folder: ProjectFolder) -> None:
    folder.write({"shop/settings.py": f"{SETTINGS}    SECURITY = {{'require_policy': True}}\n"})
    found = [str(each) for each in run_checks(folder.load()).messages]
    assert not any("/auth/" in each or "/open/" in each for each in found), found


async def test_many_logins_at_once_hold_no_connection_while_they_hash(shop: Shop) -> None:
    """More of them than the pool has connections: none waits for one in vain."""
    answers = await asyncio.gather(
        *(shop.post("/auth/login", login="ann@example.org", password=PASSWORD) for _ in range(20))
    )
    assert {each.status_code for each in answers} == {200}
