"""Errors that mean something in HTTP become problems; all others stay what they were."""

from __future__ import annotations

import logging
import traceback
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException, Request
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse

from fastforge.exceptions import ContainerMissing, ForgeError, ResourceUnavailable
from fastforge.lifecycle import current_container
from fastforge.observability.context import request_id
from fastforge.web import problem_response
from fastforge.web.errors import add_exception_handlers


class Taken(ForgeError):
    """An error with a meaning in HTTP."""

    status = 409


def client_for(error: Exception, *handlers: Any) -> TestClient:
    app = FastAPI()

    @app.get("/")
    def fail() -> None:
        raise error

    for key, handler in handlers:
        app.add_exception_handler(key, handler)
    add_exception_handlers(app)
    return TestClient(app, raise_server_exceptions=False)


def test_an_error_with_a_status_becomes_a_problem() -> None:
    token = request_id.set("the id")
    try:
        answer = client_for(Taken("the name is taken", code="shop.E001")).get("/")
    finally:
        request_id.reset(token)
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "the name is taken",
        "code": "shop.E001",
        "request_id": "the id",
    }


def test_what_is_ours_to_mend_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    error = ResourceUnavailable("no connection to db.internal:5432", code="db.E010")
    with caplog.at_level(logging.ERROR, "fastforge.web"):
        answer = client_for(error).get("/")
    assert answer.status_code == 503
    assert "db.internal" not in answer.text
    assert answer.json()["code"] == "db.E010"
    assert caplog.messages == ["[db.E010] no connection to db.internal:5432"]


def test_an_error_without_a_status_stays_a_500() -> None:
    answer = client_for(ForgeError("a mistake", code="shop.E002")).get("/")
    assert answer.json() == {"type": "about:blank", "title": "Internal Server Error", "status": 500}


def test_the_line_that_a_server_logs_last_names_the_place_in_the_users_code() -> None:
    app = FastAPI()

    @app.get("/")
    async def fail() -> None:
        current_container()

    add_exception_handlers(app)
    with pytest.raises(ContainerMissing) as caught:
        TestClient(app).get("/")
    line = fail.__code__.co_firstlineno + 2
    shown = f"[lifecycle.E012] tests/web/test_errors.py:{line}: no project runs here; "
    assert traceback.format_exception(caught.value)[-1].partition(": ")[2].startswith(shown)


def test_answers_of_fastapi_become_problems() -> None:
    answer = client_for(HTTPException(404, "no such order")).get("/")
    assert (answer.json()["status"], answer.json()["detail"]) == (404, "no such order")


@pytest.mark.parametrize("kind", [ForgeError, Taken])
def test_a_handler_of_the_users_wins(kind: type[Exception]) -> None:
    def handle(request: Request, error: Exception) -> PlainTextResponse:
        return PlainTextResponse("mine", 418)

    answer = client_for(Taken("taken", code="shop.E001"), (kind, handle)).get("/")
    assert (answer.status_code, answer.text) == (418, "mine")


async def test_a_problem_is_an_asgi_application() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    response = problem_response(503, "Draining", headers={"retry-after": "5"})
    await response({"type": "http", "method": "GET"}, None, send)  # type: ignore[arg-type]
    assert sent[0]["status"] == 503
    assert (b"retry-after", b"5") in sent[0]["headers"]
    assert sent[1]["body"] == b'{"type":"about:blank","title":"Draining","status":503}'
