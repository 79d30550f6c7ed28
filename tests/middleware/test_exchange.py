"""What the edge adds to an answer, and the line that tells what became of the request."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, BackgroundTasks, FastAPI, HTTPException, Request, Response
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.routing import Mount, Route

from fastforge.lifecycle import Role
from fastforge.web.errors.handlers import add_exception_handlers
from tests.folder import isolated

from .asgi import Served, hello

NOSNIFF = (b"x-content-type-options", b"nosniff")
HSTS = (b"strict-transport-security", b"max-age=1")


def shop() -> FastAPI:
    app, orders, items = FastAPI(), APIRouter(prefix="/orders"), APIRouter()

    @items.get("/items/{item_id}")
    async def item(item_id: str) -> str:
        return item_id

    @items.get("/raises")
    async def raises() -> None:
        raise LookupError("no")

    @items.get("/breaks")
    async def breaks() -> StreamingResponse:
        async def body() -> AsyncIterator[bytes]:
            yield b"one"
            raise LookupError("no more")

        return StreamingResponse(body())

    @items.get("/unchanged", status_code=304)
    async def unchanged() -> Response:
        return Response(status_code=304)

    async def plain(request: Any) -> Response:
        return Response("plain")

    items.routes.append(Route("/plain/{name}", plain))
    items.routes.append(Mount("/files", app=hello))
    orders.include_router(items)
    app.include_router(orders, prefix="/api")
    inner = FastAPI()
    inner.include_router(items, prefix="/inner")
    app.mount("/mounted", inner)
    app.router.routes.append(Mount("/files", app=hello))
    return app


@pytest.mark.parametrize(
    ("path", "route", "status"),
    [
        ("/api/orders/items/7", "/api/orders/items/{item_id}", 200),
        ("/api/orders/plain/x", "/api/orders/plain/{name}", 200),
        ("/mounted/inner/items/7", "/mounted/inner/items/{item_id}", 200),
        ("/api/orders/files/a/b.txt", "/api/orders/files/{path}", 200),
        ("/docs", "/docs", 200),
        ("/mounted/docs", "/mounted/{path}", 200),
        ("/mounted/nothing", "/mounted/{path}", 404),
        ("/files/a/b.txt", "/files/{path}", 200),
        ("/nothing", None, 404),
    ],
)
async def test_a_line_tells_the_template_of_the_route(
    path: str, route: str | None, status: int
) -> None:
    served = Served(shop())
    heard = await served.get(path)
    assert heard.status == status
    line, *more = served.lines
    assert not more
    assert (line["route"], line["path"], line["status_code"]) == (route, path, status)
    assert "sesame" not in str(line)


async def test_below_a_path_of_the_server_the_template_is_the_same() -> None:
    served = Served(shop())
    await served.get("/v1/mounted/inner/items/7", root_path="/v1")
    await served.get("/v1/api/orders/items/7", root_path="/v1")
    assert [line["route"] for line in served.lines] == [
        "/mounted/inner/items/{item_id}",
        "/api/orders/items/{item_id}",
    ]


async def test_a_line_has_these_fields() -> None:
    served = Served(shop())
    heard = await served.get("/api/orders/items/7")
    (line,) = served.lines
    assert line.pop("timestamp").endswith("Z")
    assert line.pop("duration_ms") > 0
    assert line == {
        "level": "info",
        "event": "request",
        "logger": "fastforge.access",
        "pid": os.getpid(),
        "role": "web",
        "request_id": heard.headers["x-request-id"],
        "method": "GET",
        "path": "/api/orders/items/7",
        "route": "/api/orders/items/{item_id}",
        "status_code": 200,
        "response_bytes": len(heard.body),
        "client": "192.0.2.1",
    }


async def test_the_line_does_not_wait_for_background_tasks() -> None:
    app, gate = FastAPI(), asyncio.Event()

    @app.get("/")
    async def handler(tasks: BackgroundTasks) -> None:
        tasks.add_task(gate.wait)

    served = Served(app)
    request = asyncio.create_task(served.get())
    while not served.lines:
        await asyncio.sleep(0)
    assert not request.done()
    assert served.state.in_flight == 1
    gate.set()
    await request
    assert len(served.lines) == 1
    assert served.state.in_flight == 0


async def test_what_fails_after_the_answer_is_told_with_the_id_of_its_request() -> None:
    app = FastAPI()

    @app.get("/orders/{number}")
    async def handler(number: int, tasks: BackgroundTasks) -> None:
        tasks.add_task(fail)

    def fail() -> None:
        raise LookupError("no mail can be sent")

    served = Served(app)
    with pytest.raises(LookupError):
        await served.get("/orders/7")
    request, failure = served.lines
    assert (request["status_code"], request["level"]) == (200, "info")
    assert (failure["event"], failure["level"]) == ("failed after the answer", "error")
    assert failure["request_id"] == request["request_id"]
    assert (failure["path"], failure["route"]) == ("/orders/7", "/orders/{number}")
    assert failure["exception"]["message"] == "no mail can be sent"


@pytest.mark.parametrize("error", [LookupError("no"), SystemExit(3), KeyboardInterrupt()])
async def test_what_no_layer_has_answered_is_a_500_with_the_id(error: BaseException) -> None:
    """Servers would answer without it, where an application exits or has no layer for errors."""

    async def raises(scope: Any, receive: Any, send: Any) -> None:
        raise error

    served = Served(raises)
    with pytest.raises(type(error)):
        await served.get()
    (line,) = served.lines
    assert (line["status_code"], line["failure"]) == (500, type(error).__name__)
    assert served.heard.status == 500
    assert served.heard.headers["x-request-id"] == line["request_id"]
    assert served.heard.body == b"Internal Server Error\n"


async def test_a_failure_is_on_the_line() -> None:
    served = Served(shop())
    with pytest.raises(LookupError):
        await served.get("/api/orders/raises")
    (line,) = served.lines
    assert (line["status_code"], line["failure"], line["level"]) == (500, "LookupError", "error")
    assert line["route"] == "/api/orders/raises"


async def test_a_stream_that_fails_is_no_success() -> None:
    served = Served(shop())
    with pytest.raises(LookupError):
        await served.get("/api/orders/breaks")
    (line,) = served.lines
    assert (line["status_code"], line["failure"], line["level"]) == (200, "LookupError", "error")


async def test_a_stream_whose_client_has_left_is_cancelled() -> None:
    async def half(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})

    served = Served(half)
    await served.get()
    (line,) = served.lines
    assert (line["status_code"], line["cancelled"], line["level"]) == (200, True, "info")


async def test_a_client_that_leaves_before_its_answer_is_no_failure() -> None:
    async def left(scope: Any, receive: Any, send: Any) -> None:
        raise ClientDisconnect

    served = Served(left)
    await served.get()
    (line,) = served.lines
    assert (line["status_code"], line["cancelled"]) == (None, True)


async def test_a_request_that_the_server_cancels_says_so_and_is_counted_no_more() -> None:
    async def endless(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.Event().wait()

    served = Served(endless)
    request = asyncio.create_task(served.get())
    while not served.state.in_flight:
        await asyncio.sleep(0)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    (line,) = served.lines
    assert (line["status_code"], line["cancelled"]) == (None, True)
    assert served.state.in_flight == 0


@pytest.mark.parametrize("path", ["/api/orders/items/7", "/api/orders/unchanged"])
async def test_answers_without_a_body_have_a_line_too(path: str) -> None:
    served = Served(shop())
    method = "GET" if "unchanged" in path else "HEAD"
    heard = await served.get(path, method=method)
    assert [line["status_code"] for line in served.lines] == [heard.status]


async def test_a_file_that_the_server_sends_itself_has_a_line() -> None:
    async def file(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.pathsend", "path": "/etc/hostname"})

    served = Served(file)
    await served.get()
    (line,) = served.lines
    assert "cancelled" not in line


async def test_a_layer_with_a_task_of_its_own_changes_nothing() -> None:
    app = shop()

    @app.middleware("http")  # a BaseHTTPMiddleware
    async def layer(request: Any, call_next: Any) -> Any:
        return await call_next(request)

    served = Served(app)
    await served.get("/api/orders/items/7")
    (line,) = served.lines
    assert (line["route"], line["status_code"]) == ("/api/orders/items/{item_id}", 200)


async def test_headers_of_the_policy_are_added_where_the_answer_has_none() -> None:
    async def own(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"x-content-type-options", b"own"), (b"x-request-id", b"older")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    frame = (b"x-frame-options", b"DENY")
    served = Served(own, response_headers=(NOSNIFF, frame))
    headers = (await served.get()).headers
    assert headers.pop("x-request-id") not in ("", "older")
    assert headers == {"x-content-type-options": "own", "x-frame-options": "DENY"}


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_some_headers_are_for_https(scheme: str) -> None:
    served = Served(hello, response_headers=(NOSNIFF,), https_headers=(HSTS,))
    headers = (await served.get(scheme=scheme)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert ("strict-transport-security" in headers) == (scheme == "https")


async def test_a_layer_around_the_application_sees_the_answers_to_failures() -> None:
    def around(app: Any) -> Any:
        async def layer(scope: Any, receive: Any, send: Any) -> None:
            async def marking(message: Any) -> None:
                if message["type"] == "http.response.start":
                    message["headers"] = [*message["headers"], (b"vary", b"origin")]
                await send(message)

            await app(scope, receive, marking)

        return layer

    served = Served(shop(), around=around)
    assert (await served.get("/nothing")).headers["vary"] == "origin"


@pytest.mark.parametrize("own", [[], [(b"connection", b"close")]])
async def test_while_the_project_drains_clients_are_sent_elsewhere(
    own: list[tuple[bytes, bytes]], tmp_path: Path
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": own})
        await send({"type": "http.response.body", "body": b""})

    served = Served(app)
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": ""})
        async with folder.load().running(Role.WEB) as container:
            served.state.container = container
            headers = (await served.get()).headers
            assert headers.get("connection") == ("close" if own else None)
            container.draining = True
            assert (await served.get()).headers["connection"] == "close"


def refusing() -> FastAPI:
    app = FastAPI()

    @app.get("/refuses")
    async def refuses() -> None:
        raise HTTPException(503, "out of paper")

    @app.get("/handled")
    async def handled() -> None:
        raise LookupError("out of ink")

    async def on_lookup(request: Any, error: Exception) -> Response:
        return Response(status_code=502)

    app.add_exception_handler(LookupError, on_lookup)
    return app


def functions_of(line: Any) -> list[str]:
    """The functions whose frames a line shows, those of libraries folded."""
    return [frame["function"] for frame in line["exception"]["frames"] if "function" in frame]


@pytest.mark.parametrize("has_base_layer", [True, False])
async def test_a_handled_failure_says_why_as_well(has_base_layer: bool) -> None:
    app = refusing()
    add_exception_handlers(app)
    if has_base_layer:

        @app.middleware("http")  # it has a task of its own
        async def layer(request: Any, call_next: Any) -> Any:
            return await call_next(request)

    served = Served(app)
    await served.get("/refuses")
    (line,) = served.lines
    assert (line["status_code"], line["level"]) == (503, "warning")
    assert "out of paper" in line["exception"]["message"]
    assert "refuses" in functions_of(line)
    assert "failure" not in line


async def test_one_that_a_handler_of_the_users_has_handled_says_why_too() -> None:
    served = Served(refusing())
    await served.get("/handled")
    (line,) = served.lines
    assert (line["status_code"], line["exception"]["message"]) == (502, "out of ink")
    assert "handled" in functions_of(line)


async def test_an_exception_that_is_handled_again_and_again_keeps_no_frames() -> None:
    """Starlette takes them from it; the line has shown those of its own request."""
    app, same = FastAPI(), LookupError("out of ink")

    @app.get("/same")
    async def fails() -> None:
        raise same

    async def on_lookup(request: Any, error: Exception) -> Response:
        return Response(status_code=502)

    app.add_exception_handler(LookupError, on_lookup)
    served = Served(app)
    for _ in range(3):
        await served.get("/same")
    assert [functions_of(line).count("fails") for line in served.lines] == [1, 1, 1]
    assert same.__traceback__ is None


async def test_the_sizes_of_bodies_are_told() -> None:
    app = FastAPI()

    @app.post("/")
    async def size(request: Request) -> int:
        return len(await request.body())

    served = Served(app)
    host = (b"host", b"localhost")
    await served.get("/", method="POST", headers=[host, (b"content-length", b"0")])
    await served.get("/", method="POST", headers=[host, (b"transfer-encoding", b"chunked")])
    declared, chunked = served.lines
    assert (declared["request_bytes"], declared["response_bytes"]) == (0, 1)
    assert (chunked["request_bytes"], chunked["response_bytes"]) == (0, 1)
