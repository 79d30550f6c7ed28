"""Exceptions become problems, in every way one can be raised; a handler of the user's wins."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException, Request, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.testclient import TestClient
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from fastforge.exceptions import ContainerMissing, ForgeError, ResourceUnavailable
from fastforge.lifecycle import current_container
from fastforge.observability.context import request_id
from fastforge.web.errors.handlers import add_exception_handlers, refusal
from fastforge.web.errors.resolution import ErrorFormats

FAILURE = {"type": "about:blank", "title": "Internal Server Error", "status": 500}


class Taken(ForgeError):
    """An error with a meaning in HTTP."""

    status = 409


def client_for(error: Exception, *handlers: Any, late: bool = False, **options: Any) -> TestClient:
    app = FastAPI()

    @app.get("/")
    def fail() -> None:
        raise error

    def add_those_of_the_user() -> None:
        for key, handler in handlers:
            app.add_exception_handler(key, handler)

    if not late:
        add_those_of_the_user()
    add_exception_handlers(app, **options)
    if late:
        add_those_of_the_user()
    return TestClient(app, raise_server_exceptions=False)


# --- errors of ours ------------------------------------------------------------------------------


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


def test_an_error_without_a_status_stays_a_500_and_says_its_code() -> None:
    answer = client_for(ForgeError("a mistake", code="shop.E002")).get("/")
    assert answer.json() == {**FAILURE, "code": "shop.E002"}


def test_the_line_that_a_server_logs_last_names_the_place_in_the_users_code() -> None:
    app = FastAPI()

    @app.get("/")
    async def fail() -> None:
        current_container()

    add_exception_handlers(app)
    with pytest.raises(ContainerMissing) as caught:
        TestClient(app).get("/")
    line = fail.__code__.co_firstlineno + 2
    shown = f"[lifecycle.E012] tests/web/errors/test_handlers.py:{line}: no project runs here; "
    assert traceback.format_exception(caught.value)[-1].partition(": ")[2].startswith(shown)


# --- HTTPException -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("detail", "members"),
    [
        ("no such order", {"detail": "no such order"}),
        (None, {}),
        ("Not Found", {}),
        ("", {}),
        ({"code": 7}, {"extra": {"code": 7}}),
        (["a", {"b": 1}], {"extra": ["a", {"b": 1}]}),
        (7, {"extra": 7}),
        (False, {"extra": False}),
        ({"at": datetime(2026, 1, 1, tzinfo=UTC)}, {"extra": {"at": "2026-01-01T00:00:00Z"}}),
    ],
)
def test_a_detail_of_any_kind_is_told(detail: Any, members: dict[str, Any]) -> None:
    answer = client_for(HTTPException(404, detail)).get("/")
    assert answer.json() == {"type": "about:blank", "title": "Not Found", "status": 404, **members}


@pytest.mark.parametrize(
    ("status", "name", "value"),
    [(401, "www-authenticate", "Bearer"), (429, "retry-after", "3"), (405, "allow", "GET")],
)
def test_headers_of_an_error_are_kept(status: int, name: str, value: str) -> None:
    answer = client_for(HTTPException(status, headers={name: value})).get("/")
    assert (answer.status_code, answer.headers[name]) == (status, value)


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_none(status: int) -> None:
    answer = client_for(HTTPException(status, headers={"etag": "x"})).get("/")
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (status, b"", "x")
    assert "content-type" not in answer.headers


def test_what_is_no_error_is_answered_as_fastapi_does() -> None:
    answer = client_for(HTTPException(202, "later")).get("/")
    assert (answer.status_code, answer.json()) == (202, {"detail": "later"})


@pytest.mark.parametrize(("status", "title"), [(499, "Client Error"), (599, "Server Error")])
def test_a_status_without_a_phrase_has_a_title_all_the_same(status: int, title: str) -> None:
    assert client_for(HTTPException(status, "odd")).get("/").json()["title"] == title


def test_a_path_or_method_that_there_is_not_is_a_problem() -> None:
    client = client_for(ValueError())
    missing, wrong = client.get("/nowhere"), client.delete("/")
    assert (missing.status_code, missing.json()["title"]) == (404, "Not Found")
    assert (wrong.status_code, wrong.json()["title"]) == (405, "Method Not Allowed")
    assert wrong.headers["allow"] == "GET"


def test_an_answer_to_head_has_the_headers_and_no_body() -> None:
    client = client_for(ValueError())
    answer, head = client.get("/nowhere"), client.head("/nowhere")
    assert head.content == b""
    assert head.headers["content-length"] == answer.headers["content-length"]


def test_a_body_that_is_no_text_is_a_problem() -> None:
    app = FastAPI()

    @app.post("/")
    async def take(body: dict[str, int]) -> None: ...

    add_exception_handlers(app)
    headers = {"content-type": "application/json"}
    answer = TestClient(app).post("/", content=b'"\xff"', headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (400, 400)


def test_a_validation_error_that_code_has_raised_may_have_any_errors() -> None:
    errors: list[Any] = ["text", {}, {"loc": ("body", "x"), "msg": "no", "type": "shop.odd"}]
    answer = client_for(RequestValidationError(errors)).get("/")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"location": [], "message": "Input is not valid", "type": "invalid"},
        {"location": [], "message": "Input is not valid", "type": "invalid"},
        {"location": ["body", "*"], "message": "no", "type": "shop.odd"},
    ]


# --- failures ------------------------------------------------------------------------------------


def test_a_failure_tells_nothing_and_reaches_the_server() -> None:
    client = client_for(ValueError("secret"))
    assert client.get("/", headers={"accept": "text/html"}).json() == FAILURE
    client = TestClient(client.app)
    with pytest.raises(ValueError, match="secret"):
        client.get("/")


def test_an_answer_of_ours_that_is_not_valid_is_a_failure_without_its_values() -> None:
    app = FastAPI()

    @app.get("/")
    async def wrong() -> int:
        return "secret"  # type: ignore[return-value]

    add_exception_handlers(app)
    answer = TestClient(app, raise_server_exceptions=False).get("/")
    assert answer.json() == FAILURE


class Page:
    """A page for whoever says that he wants one."""

    async def answer(
        self, request: Request, error: Exception, *, status: int, headers: Mapping[str, str]
    ) -> Response | None:
        wanted = "page" in request.headers
        return PlainTextResponse(f"{error!r}", status, headers) if wanted else None


class Away(ForgeError):
    status = 503
    retry_after_s = 7


def test_a_page_takes_the_place_of_the_problem_where_it_is_for_somebody() -> None:
    client = client_for(ValueError("inside"), page=Page())
    answer = client.get("/", headers={"page": "1"})
    assert (answer.status_code, answer.text) == (500, "ValueError('inside')")
    assert client.get("/").json() == FAILURE


def test_a_page_keeps_the_status_and_the_headers_of_an_error_of_ours() -> None:
    client = client_for(Away("the vault", code="shop.E001"), page=Page())
    answer = client.get("/", headers={"page": "1"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert client.get("/").json()["status"] == 503


# --- sockets -------------------------------------------------------------------------------------


def socket_of(error: Exception, *, accept: bool, close: bool = False) -> TestClient:
    app = FastAPI()

    @app.websocket("/")
    async def socket(websocket: WebSocket) -> None:
        if accept:
            await websocket.accept()
        if close:
            await websocket.close()
        raise error

    add_exception_handlers(app)
    return TestClient(app)


def test_a_handshake_is_refused_with_a_problem() -> None:
    client = socket_of(HTTPException(403, "not you"), accept=False)
    with pytest.raises(WebSocketDenialResponse) as denied, client.websocket_connect("/"):
        pass
    assert (denied.value.status_code, denied.value.json()["detail"]) == (403, "not you")


def test_a_resource_that_is_unavailable_refuses_a_handshake_with_its_code(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gone = ResourceUnavailable("nobody at db.internal", code="shop.E001")
    client = socket_of(gone, accept=False)
    with pytest.raises(WebSocketDenialResponse) as denied, client.websocket_connect("/"):
        pass
    answer = denied.value
    assert (answer.status_code, answer.json()["code"]) == (503, "shop.E001")
    assert "db.internal" not in answer.text
    assert "db.internal" in caplog.text


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (HTTPException(403), 1008),
        (HTTPException(500), 1011),
        (Taken("taken", code="shop.E001"), 1008),
        (ResourceUnavailable("nobody there", code="shop.E001"), 1013),
    ],
)
def test_an_open_socket_is_closed(error: Exception, code: int) -> None:
    client = socket_of(error, accept=True)
    with client.websocket_connect("/") as socket, pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_text()
    assert closed.value.code == code


def test_a_socket_that_has_been_closed_stays_closed() -> None:
    client = socket_of(HTTPException(403), accept=True, close=True)
    with client.websocket_connect("/") as socket, pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_text()
    assert closed.value.code == 1000


# --- handlers of the user's ----------------------------------------------------------------------


def mine(request: Request, error: Exception) -> PlainTextResponse:
    return PlainTextResponse("mine", 418)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    ("key", "error"),
    [
        (ForgeError, Taken("taken", code="shop.E001")),
        (Taken, Taken("taken", code="shop.E001")),
        (StarletteHTTPException, HTTPException(404)),
        (HTTPException, HTTPException(404)),
        (404, HTTPException(404)),
        (RequestValidationError, RequestValidationError([])),
        (LookupError, KeyError("inside")),
        (Exception, KeyError("inside")),
        (500, KeyError("inside")),
    ],
)
def test_a_handler_of_the_users_wins(key: Any, error: Exception, late: bool) -> None:
    answer = client_for(error, (key, mine), late=late).get("/")
    assert (answer.status_code, answer.text) == (418, "mine")


# --- refusals ------------------------------------------------------------------------------------


def test_a_refusal_is_answered_as_the_applications_other_errors() -> None:
    refuse = refusal(ErrorFormats())
    app = refuse(503, detail="busy", code="shop.busy", headers={"retry-after": "1"})
    answer = TestClient(app).get("/")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert (answer.json()["detail"], answer.json()["code"]) == ("busy", "shop.busy")
