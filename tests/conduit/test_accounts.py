"""The accounts of the example: registered, logged in, changed, and kept from before passwords."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fastforge import Project, Role
from fastforge.contrib.auth.terminal import PASSWORD_VARIABLE
from fastforge.contrib.db.resources import database
from fastforge.test import client

from .conftest import BOTH
from .people import ADA, ARTICLE, CHARLES, api, log_in, manage, register

OLD = [
    """
    INSERT INTO accounts_user (id, username, email, bio, image) VALUES
        (1, 'ada', 'Ada@Conduit.test', 'countess', ''), (2, 'ada2', 'ada@conduit.test', '', ''),
        (3, 'ada3', 'ADA@conduit.test', '', ''), (4, 'charles', 'charles@conduit.test', '', '')
    """,
    """
    INSERT INTO articles_article
        (id, slug, title, description, body, created_at, updated_at, author_id)
    VALUES (1, 'notes', 'Notes', '', '', '2020-01-01 00:00:00', '2020-01-01 00:00:00', 3)
    """,
]


async def test_somebody_registers_logs_in_and_is_shown_their_account(project: Project) -> None:
    async with api(project) as http:
        first = await register(http, ADA)
        shown = (await http.get("/user", headers=first)).json()["user"]
        again = (await log_in(http, "ADA@conduit.test", ADA["password"])).json()["user"]
        second = {"Authorization": f"Token {again['token']}"}
        assert (await http.get("/user", headers=second)).status_code == 200
    assert shown == {
        "username": "ada",
        "email": "ada@conduit.test",
        "bio": "",
        "image": "",
        "token": first["Authorization"].removeprefix("Token "),
    }
    assert again["token"] != shown["token"]


async def test_nobody_is_let_in_without_a_password_or_a_token(project: Project) -> None:
    async with api(project) as http:
        token = await register(http, ADA)
        bearer = {"Authorization": token["Authorization"].replace("Token", "Bearer")}
        answers = [
            await log_in(http, ADA["email"], "weaving"),
            await log_in(http, "nobody@conduit.test", ADA["password"]),
            await http.get("/user"),
            await http.get("/user", headers=bearer),
            await http.get("/user", headers={"Authorization": "Token ffa_guessed"}),
            await http.put("/user", json={"user": {"bio": "countess"}}),
            await http.post("/articles", json={"article": ARTICLE}),
        ]
    for answer in answers:
        assert (answer.status_code, list(answer.json())) == (401, ["errors"])
        assert answer.headers["www-authenticate"].startswith("Token")
    assert answers[0].json() == answers[1].json()


async def test_what_is_no_registration_is_refused_without_the_password(project: Project) -> None:
    async with api(project) as http:
        await register(http, ADA)
        wrong = {
            409: {**CHARLES, "email": "ADA@conduit.test"},
            422: {**CHARLES, "password": "12345678"},
        }
        for status, user in wrong.items():
            answer = await http.post("/users", json={"user": user})
            assert answer.status_code == status
            assert user["password"] not in answer.text
        odd = await http.post("/users", json={"user": {**CHARLES, "email": "charles"}})
        assert odd.status_code == 422


async def test_somebody_changes_their_own_account(project: Project) -> None:
    async with api(project) as http:
        ada = await register(http, ADA)
        await register(http, CHARLES)
        changes = {"bio": "countess", "email": "Lovelace@conduit.test"}
        changed = (await http.put("/user", json={"user": changes}, headers=ada)).json()["user"]
        assert (changed["bio"], changed["email"]) == ("countess", "lovelace@conduit.test")
        assert changed["username"] == "ada"
        taken = await http.put("/user", json={"user": {"username": "charles"}}, headers=ada)
        nothing = await http.put("/user", json={"user": {}}, headers=ada)
        assert (taken.status_code, nothing.status_code) == (409, 422)
        profile = (await http.get("/profiles/ada")).json()["profile"]
        assert profile == {"username": "ada", "bio": "countess", "image": "", "following": False}


async def test_another_password_ends_all_logins_but_the_one_that_is_given(
    project: Project,
) -> None:
    async with api(project) as http:
        old = await register(http, ADA)
        weak = await http.put("/user", json={"user": {"password": "12345678"}}, headers=old)
        assert weak.status_code == 422
        body = {"user": {"password": "jacquard-looms-8"}}
        answer = await http.put("/user", json=body, headers=old)
        new = {"Authorization": f"Token {answer.json()['user']['token']}"}
        assert (await http.get("/user", headers=new)).status_code == 200
        assert (await http.get("/user", headers=old)).status_code == 401
        assert (await log_in(http, ADA["email"], ADA["password"])).status_code == 401
        assert (await log_in(http, ADA["email"], "jacquard-looms-8")).status_code == 200


async def test_its_document_says_what_to_write_into_the_header(project: Project) -> None:
    async with client(project) as http:
        document = (await http.get("/openapi.json")).json()
    (scheme,) = document["components"]["securitySchemes"].values()
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "Authorization")
    assert "Token" in scheme["description"]
    assert document["paths"]["/api/user"]["get"]["security"] == [{"token": []}]
    assert "security" not in document["paths"]["/api/users/login"]["post"]


async def test_an_article_is_of_whoever_has_the_token(project: Project) -> None:
    async with api(project) as http:
        await register(http, ADA)
        charles = await register(http, CHARLES)
        body = {"article": {**ARTICLE, "author": "ada"}}
        made = (await http.post("/articles", json=body, headers=charles)).json()["article"]
    assert made["author"]["username"] == "charles"


async def test_who_tries_passwords_is_stopped(project: Project) -> None:
    async with api(project) as http:
        await register(http, ADA)
        tried = [(await log_in(http, ADA["email"], "guess")).status_code for _ in range(7)]
        right = await log_in(http, ADA["email"], ADA["password"])
    assert tried == [401] * 5 + [429] * 2
    assert right.status_code == 429
    assert list(right.json()) == ["errors"]


async def run_sql(project: Project, statement: str) -> list[Any]:
    """Run a statement, and return the first column of what it gives."""
    running = project.running(Role.COMMAND)
    async with running as container, container[database].engine.begin() as connection:
        result = await connection.exec_driver_sql(statement)
        return list(result.scalars()) if result.returns_rows else []


@BOTH
async def test_accounts_from_before_passwords_are_kept_with_their_articles(
    load: Callable[[str], Project], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of those who had one address in several letters the first keeps it."""
    project = load(database_url)
    for label in ("accounts", "articles"):
        manage(project, "migrate", label, "0001")
    for statement in OLD:
        await run_sql(project, statement)
    manage(project, "migrate")
    monkeypatch.setenv(PASSWORD_VARIABLE, "weaving-4-patterns")
    manage(project, "changepassword", "ada@conduit.test", "--noinput")
    async with api(project) as http:
        assert (await log_in(http, "charles@conduit.test", "")).status_code == 401
        user = (await log_in(http, "ada@conduit.test", "weaving-4-patterns")).json()["user"]
        assert (user["username"], user["bio"]) == ("ada", "countess")
        author = (await http.get("/articles/notes")).json()["article"]["author"]
        assert author["username"] == "ada3"
    assert await run_sql(project, "SELECT email FROM accounts_user ORDER BY id") == [
        "ada@conduit.test",
        "ada@conduit.test.2.invalid",
        "ada@conduit.test.3.invalid",
        "charles@conduit.test",
    ]
    manage(project, "migrate", "accounts", "0001")
