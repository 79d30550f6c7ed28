"""What the page says of a failure, and what it does not say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from fastforge.asgi import get_asgi_application
from fastforge.exceptions import ComponentError
from fastforge.web import ErrorPanel, error_panel
from fastforge.web.errorpage import answer as answering
from fastforge.web.errorpage.answer import ErrorPage
from fastforge.web.errorpage.editor import editor_link
from fastforge.web.errors.handlers import add_exception_handlers
from tests.folder import ProjectFolder, isolated

from .shop import CANARY, DSN_PASSWORD, ENVIRON, JWT, SHOP

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "host": "localhost:8000"}
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProjectFolder]:
    with isolated(tmp_path_factory.mktemp("shop")) as folder:
        folder.write(SHOP)
        yield folder


@pytest.fixture(scope="module")
def browser(folder: ProjectFolder) -> Iterator[TestClient]:
    """A browser on this machine, before a project in development."""
    with client_of(folder, ENVIRON) as client:
        yield client


def client_of(
    folder: ProjectFolder, environ: Mapping[str, str], peer: str = "127.0.0.1", **settings: Any
) -> TestClient:
    project = folder.load(environ).overriding(settings=settings)
    return TestClient(
        get_asgi_application(project),
        raise_server_exceptions=False,
        client=(peer, 50000),
        headers=BROWSER,
    )


def shown(page: str) -> str:
    """The text of a page, as it is read."""
    body = page.partition("<body>")[2].partition("<script")[0]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))


# --- what it says --------------------------------------------------------------------------------


def test_it_tells_what_failed_where_and_with_which_values(browser: TestClient) -> None:
    answer = browser.get("/zero/7?page=2")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "text/html; charset=utf-8")
    text = shown(answer.text)
    assert "500 GET /zero/7" in text
    assert "ZeroDivisionError" in text
    assert "division by zero" in text
    assert "return sum(totals) / len(totals)" in text
    assert "total Total(amount=0, api_key=***)" in text
    assert "/zero/{order_id}" in text
    assert "shop.orders.routes.zero" in text
    assert "page 2" in text
    assert answer.headers["x-request-id"] in text


def test_the_user_s_calls_are_open_and_those_of_libraries_folded(browser: TestClient) -> None:
    page = browser.get("/zero/7").text
    first, second, *_ = (match.start() for match in re.finditer('<div class="frame', page))
    assert "mean" in page[first:second]
    fold = page.index('<details class="fold">')
    assert second < fold
    assert "fastapi/routing.py" in page[fold:]
    assert '<span class="here"><i>' in page


def test_sql_log_and_the_panels_of_apps_are_those_of_the_request(browser: TestClient) -> None:
    browser.get("/zero/1")
    text = shown(browser.get("/zero/7").text)
    assert "SELECT 1 6 times" in text
    assert "ask once for all rows" in text
    assert "looking for <order> 7 with password=***" in text
    assert "looking for <order> 1" not in text
    assert "Searches shoes & socks 2 ms slow" in text
    assert "Broken part the panel 'broken_part' fails" in text


def test_settings_are_those_that_somebody_wrote_with_their_places(browser: TestClient) -> None:
    text = shown(browser.get("/zero/7").text)
    assert "DATABASES.default.url" in text
    assert "shop/settings.py:" in text
    assert 'SECRET_KEY "***"' in text
    assert "DATABASES.default.pool_size" not in text


def test_causes_follow_and_markup_is_text(browser: TestClient) -> None:
    page = browser.get("/chain").text
    text = shown(page)
    assert "<b>no mean</b>" in text
    assert "<b>no mean" not in page
    assert text.index("RuntimeError") < text.index("Raised from ZeroDivisionError")


def test_a_ring_of_causes_ends(browser: TestClient) -> None:
    assert shown(browser.get("/ring").text).count("Raised from") == 1


def test_the_parts_of_a_group_are_told(browser: TestClient) -> None:
    text = shown(browser.get("/group").text)
    assert "1 of 2 in the group ValueError one" in text
    assert "2 of 2 in the group KeyError 'other'" in text


def test_an_endless_recursion_is_told_shortly(browser: TestClient) -> None:
    page = browser.get("/deep").text
    assert "RecursionError" in page
    assert re.search(r"\d{3} more calls like this", page)
    assert len(page) < 200_000


def test_an_answer_that_does_not_fit_is_told_part_by_part(browser: TestClient) -> None:
    text = shown(browser.get("/answer").text)
    assert "ResponseValidationError" in text
    assert "response.1" in text
    assert "valid integer" in text
    assert "and got 'two'" in text
    assert re.search(r"the handler \S*shop/orders/routes.py:", text)


def test_an_error_of_ours_has_its_code_its_hint_and_the_place_it_names(
    browser: TestClient,
) -> None:
    text = shown(browser.get("/ours").text)
    assert "no 'blgo'" in text
    assert "Did you mean 'blog'?" in text
    assert "shop.E001" in text
    assert re.search(r"the place that it names \S*shop/orders/routes.py:14", text)
    assert "explained in the documentation" not in text


def test_a_service_that_is_away_is_a_page_with_its_own_status(browser: TestClient) -> None:
    answer = browser.get("/away")
    assert answer.status_code == 503
    assert "lifecycle.E010" in shown(answer.text)
    assert browser.get("/away", headers={"accept": "*/*"}).json()["status"] == 503


@pytest.mark.parametrize(
    ("path", "said", "place"),
    [
        ("/dependency", "PermissionError the dependency", "shop/orders/routes.py:"),
        ("/layer", "LookupError no such layer", "shop/layers.py:7"),
        ("/template", "division by zero", "templates/orders/page.html:2"),
        ("/missing", "templates.E001 is explained in the documentation", "shop/orders/routes.py:"),
        ("/name", "Did you mean 'ordr'?", "shop/orders/routes.py:"),
        ("/hanging", "endless <Endless: its repr() takes too long>", "shop/orders/routes.py:"),
    ],
)
def test_wherever_it_fails_the_line_is_shown(
    browser: TestClient, path: str, said: str, place: str
) -> None:
    text = shown(browser.get(path).text)
    assert said in text
    assert place in text


def test_what_was_read_of_the_body_is_shown(browser: TestClient) -> None:
    text = shown(browser.post("/form", data={"name": "Ada", "password": CANARY}).text)
    assert "Form name Ada password ***" in text
    text = shown(browser.post("/body", json={"title": "A", "token": CANARY}).text)
    assert '"title": "A", "token": "***"' in text


def test_to_head_the_headers_are_answered_alone(browser: TestClient) -> None:
    answer = browser.head("/chain")
    assert (answer.status_code, answer.content) == (500, b"")
    assert int(answer.headers["content-length"]) > 1000


def test_nothing_is_loaded_and_no_script_runs_but_its_own(browser: TestClient) -> None:
    answer = browser.get("/zero/7")
    policy = answer.headers["content-security-policy"]
    (nonce,) = set(re.findall(r"'nonce-([^']+)'", policy))
    assert policy.startswith("default-src 'none'")
    assert set(re.findall(r'nonce="([^"]+)"', answer.text)) == {nonce}
    assert answer.headers["cache-control"] == "no-store"
    assert not re.search(r"\son\w+=", answer.text)
    assert not re.search(r'(src|href)="(https?:)?//', answer.text)


def test_each_page_has_a_nonce_of_its_own(browser: TestClient) -> None:
    policies = {browser.get("/ring").headers["content-security-policy"] for _ in range(2)}
    assert len(policies) == 2


# --- who sees it ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "settings"),
    [
        ({"FASTFORGE_ENV": "production"}, {}),
        ({"FASTFORGE_ENV": "production"}, {"DEBUG": True}),
        ({"FASTFORGE_ENV": "test"}, {"DEBUG": True}),
        ({"FASTFORGE_ENV": "development"}, {"DEBUG": False}),
    ],
)
def test_it_is_for_development_alone(
    folder: ProjectFolder, environ: Mapping[str, str], settings: Mapping[str, Any]
) -> None:
    with client_of(folder, {**ENVIRON, **environ}, **settings) as client:
        answer = client.get("/ring")
    assert (answer.status_code, answer.headers["content-type"]) == (500, PROBLEM)
    assert "ValueError" not in answer.text


@pytest.mark.parametrize("trusted", [[], ["127.0.0.1"]])
@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("203.0.113.7", {}, 500),
        ("127.0.0.1", {"x-forwarded-for": "203.0.113.7"}, 500),
        ("127.0.0.1", {"x-forwarded-for": "127.0.0.1"}, 500),
        ("203.0.113.7", {"x-forwarded-for": "127.0.0.1"}, 500),
        ("127.0.0.1", {"host": "evil.example"}, 400),
        ("203.0.113.7", {"host": "localhost"}, 500),
        ("127.0.0.1", {"accept": "application/json"}, 500),
    ],
)
def test_nobody_elsewhere_sees_it(
    folder: ProjectFolder, trusted: list[str], peer: str, headers: Mapping[str, str], status: int
) -> None:
    with client_of(folder, ENVIRON, peer, TRUSTED_PROXIES=trusted) as client:
        answer = client.get("/ring", headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert "ValueError" not in answer.text


def test_no_secret_is_on_it_wherever_it_came_from(browser: TestClient) -> None:
    """In header, cookie, query, form, body, variables, messages, log, settings, environment."""
    headers = {"authorization": f"Bearer {JWT}", "x-api-key": CANARY}
    browser.cookies.set("sessionid", CANARY)
    try:
        pages = [
            browser.get("/late", headers=headers),
            browser.get(f"/zero/7?access_token={CANARY}", headers=headers),
            browser.get("/answer"),
            browser.post("/form", data={"name": JWT, "password": CANARY}),
            browser.post("/body", json={"token": CANARY, "note": f"a {JWT}"}),
        ]
    finally:
        browser.cookies.clear()
    for page in pages:
        assert page.status_code == 500
        assert "ForgeError" in page.text or "Error" in page.text
        for secret in (CANARY, JWT, JWT.split(".")[1], DSN_PASSWORD):
            assert secret not in unescape(page.text)


# --- when it cannot be made ----------------------------------------------------------------------


def test_where_the_page_itself_fails_a_text_has_to_do(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastforge.web.errorpage.facts.chain_of", None)
    answer = browser.get("/chain")
    assert (answer.status_code, answer.headers["content-type"]) == (
        500,
        "text/plain; charset=utf-8",
    )
    assert "ZeroDivisionError: division by zero" in answer.text
    assert "RuntimeError: <b>no mean</b>" in answer.text


def test_what_takes_too_long_becomes_a_text(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    over = threading.Event()
    monkeypatch.setattr(answering, "LIMIT_S", 0.05)
    monkeypatch.setattr("fastforge.web.errorpage.facts.chain_of", lambda *_: over.wait(60))
    try:
        answer = browser.get("/chain")
    finally:
        over.set()
    assert answer.headers["content-type"].startswith("text/plain")


def test_panels_that_do_not_load_cost_the_page_nothing_else(folder: ProjectFolder) -> None:
    def panels() -> list[ErrorPanel]:
        raise ImportError("no panels today")

    app = FastAPI()
    settings = folder.load(ENVIRON).settings
    page = ErrorPage(project="shop", settings=settings, panels=panels, route_of=lambda scope: None)
    add_exception_handlers(app, page=page)

    @app.get("/")
    async def fail() -> None:
        raise ZeroDivisionError("here")

    client = TestClient(app, raise_server_exceptions=False, client=("127.0.0.1", 50000))
    text = shown(client.get("/", headers=BROWSER).text)
    assert "ZeroDivisionError here" in text
    assert "the panels of apps cannot be loaded ImportError: no panels today" in text


# --- its parts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "link"),
    [
        ({}, ""),
        ({"TERM_PROGRAM": "vscode"}, "vscode://file//shop/a%20b.py:7"),
        ({"TERM_PROGRAM": "vscode", "FASTFORGE_EDITOR": ""}, ""),
        ({"FASTFORGE_EDITOR": "pycharm"}, "pycharm://open?file=/shop/a%20b.py&line=7"),
        ({"FASTFORGE_EDITOR": "my://{file}#{line}"}, "my:///shop/a%20b.py#7"),
        ({"FASTFORGE_EDITOR": "unheard-of"}, ""),
    ],
)
def test_a_line_opens_in_the_editor_that_was_named(environ: Mapping[str, str], link: str) -> None:
    assert editor_link("/shop/a b.py", 7, environ) == link


async def asynchronous(scope: Any) -> list[Any]:
    return []


def too_many(scope: Any, other: Any) -> list[Any]:
    return []


@pytest.mark.parametrize(
    ("function", "fault"),
    [(asynchronous, "is async"), (too_many, "a scope alone"), ("text", "is no function")],
)
def test_what_cannot_be_a_panel_is_refused_where_it_is_declared(function: Any, fault: str) -> None:
    with pytest.raises(ComponentError, match=fault) as refused:
        error_panel(function)
    assert refused.value.code == "web.E050"
    assert Path(str(refused.value.where).partition(":")[0]).name == Path(__file__).name
