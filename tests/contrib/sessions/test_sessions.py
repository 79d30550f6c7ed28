"""What a browser's session keeps, when it is written, and what others who do it at once lose."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable

import pytest

from fastforge import Project
from fastforge.contrib.sessions.errors import (
    NoSession,
    SessionError,
    SessionTooLarge,
    SessionTooLate,
)
from fastforge.contrib.sessions.template_helpers import csrf_token
from tests.folder import ProjectFolder

from .shop import ANN, PASSWORD, browser, log_in, secret_of, settings


def rows(folder: ProjectFolder) -> int:
    with sqlite3.connect(folder.path / "db.sqlite3") as db:
        (count,) = db.execute("SELECT count(*) FROM sessions_stored_session").fetchone()
    return int(count)


async def test_somebody_logs_in_is_known_and_logs_out(
    project: Project, folder: ProjectFolder
) -> None:
    async with browser(project) as http:
        assert (await http.get("/me")).status_code == 401
        await log_in(http)
        assert (await http.get("/me")).json() == {"id": 1, "kind": "session"}
        assert (await http.get("/maybe")).json() == 1
        assert (await http.post("/logout")).json() == "bye"
        assert secret_of(http) == ""
        assert (await http.get("/me")).status_code == 401
        assert (await http.get("/maybe")).json() == "nobody"
    assert rows(folder) == 0


async def test_a_value_is_kept_for_one_browser_also_by_a_request_that_only_reads(
    project: Project,
) -> None:
    async with browser(project) as http, browser(project) as other:
        assert (await http.post("/cart/7")).json() == [7]
        assert (await http.post("/cart/8")).json() == [7, 8]
        assert (await http.get("/cart")).json() == [7, 8]
        assert [(await http.get("/visit")).json() for _ in range(3)] == [1, 2, 3]
        assert (await other.get("/cart")).json() == []


async def test_an_answer_of_status_400_or_more_leaves_the_session_as_it_was(
    project: Project, folder: ProjectFolder
) -> None:
    async with browser(project) as http:
        refused = await http.post("/cart/6", params={"status": 409})
        assert "set-cookie" not in refused.headers
        assert rows(folder) == 0
        await http.post("/cart/7")
        assert (await http.post("/cart/8", params={"status": 409})).status_code == 409
        assert (await http.get("/cart")).json() == [7]


async def test_a_commit_that_fails_keeps_nothing_and_sets_no_cookie(
    project: Project, folder: ProjectFolder
) -> None:
    with sqlite3.connect(folder.path / "db.sqlite3") as db:
        db.executescript(
            "CREATE TABLE parent (id INTEGER PRIMARY KEY);"
            "CREATE TABLE child (parent_id INTEGER REFERENCES parent(id) DEFERRABLE);"
        )
    async with browser(project) as http:
        answer = await http.post("/broken-commit")
        assert answer.status_code == 409
        assert "set-cookie" not in answer.headers
        assert rows(folder) == 0
        await http.post("/cart/7")
        assert (await http.post("/broken-commit")).status_code == 409
        assert (await http.get("/cart")).json() == [7]


async def test_a_request_that_does_not_use_its_session_asks_the_database_nothing(
    project: Project, statements: list[str]
) -> None:
    """Neither one without the parameter nor one that only has it; nor is its answer marked."""
    async with browser(project) as http:
        await log_in(http)
        await http.get("/me")
        statements.clear()
        free = await http.get("/free")
        posted = await http.post("/webhook")
        assert statements == []
        assert not {"vary", "cache-control"} & {*free.headers, *posted.headers}
        unused = await http.get("/unused")
        assert [each for each in statements if "session" in each] == []
        assert unused.headers["vary"] == "Cookie"


async def test_requests_at_once_keep_what_each_of_them_has_changed(project: Project) -> None:
    async with browser(project) as http:
        await http.post("/slow/first")
        await asyncio.gather(*(http.post(f"/slow/{key}") for key in "abcdef"))
        assert (await http.post("/slow/last")).json() == [*"abcdef", "first", "last"]


async def test_a_request_that_is_overtaken_by_a_logout_does_not_bring_the_session_back(
    project: Project, folder: ProjectFolder, gate: Callable[[str], asyncio.Event]
) -> None:
    async with browser(project) as http:
        secret = await log_in(http)
        go = gate("cart")
        slow = asyncio.create_task(http.post("/slow/cart"))
        await asyncio.sleep(0.05)
        assert (await http.post("/logout")).status_code == 200
        go.set()
        answer = await slow
        assert answer.status_code == 409
        assert answer.json()["code"] == "sessions.E016"
        assert rows(folder) == 0
        http.cookies.set("__Host-session", secret, domain="shop.example")
        assert (await http.get("/me")).status_code == 401
        assert (await http.post("/logout")).status_code == 200


async def test_two_logouts_at_once_are_one(project: Project, folder: ProjectFolder) -> None:
    async with browser(project) as http:
        await log_in(http)
        answers = await asyncio.gather(http.post("/logout"), http.post("/logout"))
    assert [each.status_code for each in answers] == [200, 200]
    assert rows(folder) == 0


async def test_of_two_logins_at_once_none_is_refused(project: Project) -> None:
    async with browser(project) as http:
        await http.post("/cart/7")
        question = {"email": ANN, "password": PASSWORD}
        answers = await asyncio.gather(*(http.post("/login", params=question) for _ in range(2)))
        assert [each.status_code for each in answers] == [200, 200]
        assert (await http.get("/me")).status_code == 200


async def test_a_cart_goes_with_the_login_and_not_with_that_of_somebody_else(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with browser(project) as http:
        await http.post("/cart/7")
        await log_in(http)
        assert (await http.get("/cart")).json() == [7]
        await http.post("/register", params={"email": "bob@example.org"})
        answer = await http.post(
            "/login", params={"email": "bob@example.org", "password": PASSWORD}
        )
        assert answer.json() == 2
        assert (await http.get("/cart")).json() == []


async def test_after_a_logout_the_browser_may_keep_something_again(project: Project) -> None:
    async with browser(project) as http:
        await log_in(http)
        await http.post("/goodbye")
        assert (await http.get("/me")).status_code == 401
        assert (await http.get("/message")).json() == "see you"
        assert (await http.get("/message")).json() is None


async def test_what_a_user_changes_about_themselves_ends_their_other_browsers(
    project: Project,
) -> None:
    async with browser(project) as http, browser(project) as other:
        await log_in(http)
        await log_in(other)
        assert (await http.post("/password", params={"new": "kettle-plum-7"})).status_code == 200
        assert (await http.get("/me")).status_code == 200
        assert (await other.get("/me")).status_code == 401
        assert (await other.get("/cart")).json() == []


async def test_all_browsers_of_a_user_are_logged_out_at_once(
    project: Project, folder: ProjectFolder
) -> None:
    async with browser(project) as http, browser(project) as other:
        await log_in(http)
        await log_in(other)
        assert (await http.post("/everywhere")).json() == 2
        assert (await http.get("/me")).status_code == 401
        assert (await other.get("/me")).status_code == 401
    assert rows(folder) == 0


async def test_whoever_is_deactivated_is_out(project: Project) -> None:
    async with browser(project) as http:
        await log_in(http)
        await http.post("/cart/7")
        await http.post("/deactivate")
        assert (await http.get("/me")).status_code == 401
        assert (await http.get("/maybe")).json() == "nobody"  # a page for everybody stays one
        assert (await http.get("/cart")).json() == []


async def test_a_value_of_an_older_release_is_not_there(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    async with browser(project) as http:
        await http.post("/slow/cart")  # keeps a text where a list is asked for
        assert (await http.get("/cart")).json() == []
    (line,) = [each for each in caplog.records if each.message == "sessions.unreadable"]
    assert line.__dict__["key"] == "cart"


@pytest.mark.parametrize(
    ("path", "error", "code"),
    [
        ("/huge", SessionTooLarge, "sessions.E012"),
        ("/odd", SessionError, "sessions.E011"),
    ],
)
async def test_what_a_session_cannot_hold_is_refused(
    project: Project, folder: ProjectFolder, path: str, error: type[Exception], code: str
) -> None:
    async with browser(project) as http:
        with pytest.raises(error) as caught:
            await http.post(path)
    assert caught.value.code == code  # type: ignore[attr-defined]
    assert rows(folder) == 0


async def test_what_is_changed_after_the_answer_has_begun_is_refused(project: Project) -> None:
    async with browser(project) as http:
        with pytest.raises(RuntimeError) as caught:  # Starlette's: the answer has begun
            await http.post("/late")
    error = caught.value.__cause__
    assert isinstance(error, SessionTooLate)
    assert error.code == "sessions.E013"


async def test_it_is_the_same_on_postgres(
    folder: ProjectFolder, postgres_url: str, migrated: Callable[[Project], Project]
) -> None:
    """Rows are locked there, and a lost update would show."""
    folder.write({"shop/settings.py": settings(postgres_url)})
    project = migrated(folder.load())
    async with browser(project) as http:
        await http.post("/slow/first")
        await asyncio.gather(*(http.post(f"/slow/{key}") for key in "abcdef"))
        assert (await http.post("/slow/last")).json() == [*"abcdef", "first", "last"]
        await log_in(http)
        assert (await http.get("/me")).json() == {"id": 1, "kind": "session"}
        assert (await http.post("/slow/last")).json() == [*"abcdef", "first", "last"]
        answers = await asyncio.gather(http.post("/logout"), http.post("/logout"))
        assert [each.status_code for each in answers] == [200, 200]
        assert (await http.get("/me")).status_code == 401


async def test_whoever_asks_in_a_transaction_is_known_by_its_connection(
    folder: ProjectFolder, postgres_url: str, migrated: Callable[[Project], Project]
) -> None:
    """With a second one as many requests as the pool has connections would wait for each other."""
    databases = {"default": {"url": postgres_url, "pool_size": 1, "max_overflow": 0}}
    folder.write({"shop/settings.py": settings(postgres_url)})
    project = migrated(folder.load()).overriding(settings={"DATABASES": databases})
    async with browser(project) as http:
        await log_in(http)
        answer = await http.post("/me-in-between")
        assert (answer.status_code, answer.text) == (200, "1")


async def test_revoking_a_user_or_everybody_ends_their_sessions(
    project: Project, folder: ProjectFolder
) -> None:
    async with browser(project) as http, browser(project) as stranger:
        await stranger.post("/cart/7")
        await log_in(http)
        assert (await http.post("/revoke")).json() == 1
        assert (await http.get("/me")).status_code == 401
        assert (await stranger.get("/cart")).json() == [7]
        await log_in(http)
        assert (await http.post("/revoke", params={"everybody": True})).json() == 2
        assert (await http.get("/me")).status_code == 401
        assert rows(folder) == 0


async def test_a_logout_reaches_a_process_that_remembers_the_session(project: Project) -> None:
    """By the log of what was forgotten: two running projects stand for two processes."""
    async with browser(project) as one, browser(project) as other:
        secret = await log_in(one)
        other.cookies.set("__Host-session", secret, domain="shop.example")
        assert (await other.get("/me")).status_code == 200
        assert (await one.post("/logout")).status_code == 200
        deadline = asyncio.get_running_loop().time() + 30
        while (await other.get("/me")).status_code == 200:
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.05)
        assert (await other.get("/me")).status_code == 401


async def test_somebody_who_was_just_seen_costs_no_question_about_their_session(
    project: Project, statements: list[str]
) -> None:
    async with browser(project) as http:
        await log_in(http)
        assert (await http.get("/me")).status_code == 200
        statements.clear()
        assert (await http.get("/me")).status_code == 200
        assert [each for each in statements if "session" in each or "auth_user" in each] == []


def test_where_nobody_asks_there_is_no_session() -> None:
    with pytest.raises(NoSession) as caught:
        csrf_token()
    assert caught.value.code == "sessions.E017"


async def test_a_guessed_cookie_sent_as_a_token_is_refused_before_anybody_is_asked(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    """Its signature is looked at first: no cache is asked, and no line of the log is written."""
    caplog.set_level(logging.INFO, "fastforge.auth")
    async with browser(project) as http:
        guess = {"Authorization": f"Bearer fsu_{'A' * 76}"}
        assert (await http.get("/me", headers=guess)).status_code == 401
    assert "auth.credential_refused" not in caplog.text
