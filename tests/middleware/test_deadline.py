"""An answer that does not begin in time is a 504 at once, whatever the handler does.

The limits are short, and nothing depends on how short: who must not be cut waits for the end of
somebody who is.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest
from anyio.to_thread import current_default_thread_limiter
from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.responses import StreamingResponse

from fastforge.middleware.deadline import EDGE, begin_answer
from fastforge.middleware.replacing import THREAD_PAUSE_S
from fastforge.observability.context import request_id

from .asgi import Served

LIMIT_S = 0.05


def limited(app: Any, own: Callable[[object], float | None] = lambda endpoint: LIMIT_S) -> Served:
    return Served(app, time_limit_of=own, shortest_time_limit_s=LIMIT_S)


async def never() -> None:
    await asyncio.Event().wait()


async def test_a_handler_that_does_not_answer_is_cancelled() -> None:
    ended = []

    async def handler(scope: Any, receive: Any, send: Any) -> None:
        try:
            await never()
        finally:
            ended.append(begin_answer(scope))

    served = limited(handler)
    heard = await served.get()
    assert heard.status == 504
    assert ended == [False]
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    (line,) = served.lines
    assert (line["status_code"], line["failure"]) == (504, "TimeoutError")
    assert line["request_id"] == heard.headers["x-request-id"]
    assert line["code"] == "middleware.E004"
    assert line["exception"]["message"] == f"no answer within {LIMIT_S:g} s"
    functions = [frame.get("function") for frame in line["exception"]["frames"]]
    assert "never" in functions  # it was there
    assert served.state.in_flight == 0


async def test_a_handler_that_ignores_the_cancellation_is_heard_no_more() -> None:
    gate = asyncio.Event()
    ran: list[str] = []
    app = FastAPI()

    @app.get("/")
    async def stubborn(tasks: BackgroundTasks) -> str:
        tasks.add_task(ran.append, "background")
        try:
            await never()
        except asyncio.CancelledError:
            await gate.wait()
        return "late"

    served = limited(app)
    asking = asyncio.create_task(served.get())
    while not served.lines:
        await asyncio.sleep(0)
    assert not asking.done()
    gate.set()
    heard = await asking
    assert (heard.status, len(heard.messages)) == (504, 2)
    assert ran == []
    assert len(served.lines) == 1


async def test_a_thread_is_waited_for_though_its_client_is_not_kept_waiting() -> None:
    """It holds its place among the threads, and among the requests that are worked on."""
    app, gate = FastAPI(), threading.Event()
    ran: list[str] = []

    @app.get("/")
    def blocking(tasks: BackgroundTasks) -> None:
        tasks.add_task(ran.append, "background")
        gate.wait()

    served = limited(app)
    asking = asyncio.create_task(served.get())
    while not served.lines:
        await asyncio.sleep(0)
    await asyncio.sleep(2 * THREAD_PAUSE_S)
    assert not asking.done()
    assert served.state.in_flight == 1
    assert current_default_thread_limiter().borrowed_tokens == 1
    gate.set()
    assert (await asking).status == 504
    assert current_default_thread_limiter().borrowed_tokens == 0
    assert ran == []


async def test_what_follows_a_thread_is_cancelled() -> None:
    app, gate = FastAPI(), threading.Event()

    def dependency() -> None:
        gate.wait()

    in_thread = Depends(dependency)

    @app.get("/")
    async def handler(value: None = in_thread) -> None:
        await never()

    served = limited(app)
    asking = asyncio.create_task(served.get())
    while not served.lines:
        await asyncio.sleep(0)
    gate.set()
    assert (await asking).status == 504


async def test_the_answer_in_place_has_the_context_of_the_request() -> None:
    seen = []

    def refuse(status: int, **more: Any) -> Any:
        async def refusal(scope: Any, receive: Any, send: Any) -> None:
            seen.append((status, request_id.get(), scope[EDGE] is not None))
            await send({"type": "http.response.start", "status": status, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        return refusal

    async def handler(scope: Any, receive: Any, send: Any) -> None:
        await never()

    served = Served(
        handler,
        time_limit_of=lambda endpoint: LIMIT_S,
        shortest_time_limit_s=LIMIT_S,
        refuse=refuse,
    )
    first, second = await asyncio.gather(served.get(), served.get())
    ids = [heard.headers["x-request-id"] for heard in (first, second)]
    assert seen == [(504, ids[0], True), (504, ids[1], True)]


async def test_a_request_that_is_cancelled_by_others_too_stays_cancelled() -> None:
    ignored = asyncio.Event()

    async def handler(scope: Any, receive: Any, send: Any) -> None:
        try:
            await never()
        except asyncio.CancelledError:
            ignored.set()
            await never()

    served = limited(handler)
    asking = asyncio.create_task(served.get())
    await ignored.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_what_fails_as_it_is_cancelled_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def handler(scope: Any, receive: Any, send: Any) -> None:
        try:
            await never()
        except asyncio.CancelledError:
            raise LookupError("lost") from None

    served = limited(handler)
    with caplog.at_level(logging.WARNING):
        assert (await served.get()).status == 504
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[0] is LookupError


async def test_streams_and_background_tasks_are_not_limited() -> None:
    app, gate, ended = FastAPI(), asyncio.Event(), []

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def body() -> AsyncIterator[bytes]:
            yield b"one"
            await gate.wait()
            yield b"two"

        return StreamingResponse(body())

    @app.get("/background")
    async def background(tasks: BackgroundTasks) -> None:
        async def work() -> None:
            await gate.wait()
            ended.append("work")

        tasks.add_task(work)

    @app.get("/late")
    async def late() -> None:
        await never()

    served = limited(app)
    both = [asyncio.create_task(served.get(path)) for path in ("/stream", "/background")]
    while served.state.in_flight < 2:
        await asyncio.sleep(0)
    assert (await served.get("/late")).status == 504
    gate.set()
    streamed, _ = await asyncio.gather(*both)
    assert streamed.body == b"onetwo"
    assert ended == ["work"]


@pytest.mark.parametrize("own_s", [None, 60, LIMIT_S * 4])
async def test_the_limit_of_the_endpoint_holds(own_s: float | None) -> None:
    """A longer one, and none, outlast the shortest; one that is over all the same is a 504."""
    app, gate = FastAPI(), asyncio.Event()

    @app.get("/own")
    async def own() -> str:
        await gate.wait()
        return "in time"

    @app.get("/late")
    async def late() -> None:
        await never()

    served = limited(app, lambda endpoint: own_s if endpoint is own else LIMIT_S)
    asking = asyncio.create_task(served.get("/own"))
    while not served.state.in_flight:
        await asyncio.sleep(0)
    assert (await served.get("/late")).status == 504
    if own_s is None or own_s > 1:
        assert not asking.done()
        gate.set()
        assert (await asking).status == 200
    else:
        assert (await asking).status == 504


async def test_once_the_answer_may_begin_its_time_has_no_end() -> None:
    gate = asyncio.Event()

    async def committing(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/late":
            await never()
        assert begin_answer(scope)
        await gate.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    served = limited(committing)
    asking = asyncio.create_task(served.get())
    assert (await served.get("/late")).status == 504
    gate.set()
    assert (await asking).status == 200


def test_an_answer_outside_an_edge_may_always_begin() -> None:
    assert begin_answer({"type": "http"})


def test_each_event_loop_has_its_own_clock() -> None:
    async def handler(scope: Any, receive: Any, send: Any) -> None:
        await never()

    served = limited(handler)
    assert [asyncio.run(served.get()).status for _ in range(2)] == [504, 504]


@pytest.mark.parametrize("ending", ["answers", "fails", "returns"])
async def test_a_handler_that_ends_in_the_turn_in_which_its_time_is_over(ending: str) -> None:
    """It waits for the answer in its place already, and is cancelled no more."""

    async def handler(scope: Any, receive: Any, send: Any) -> None:
        time.sleep(LIMIT_S)  # noqa: ASYNC251 - the loop looks at its timers too late
        for _ in range(2):
            await asyncio.sleep(0)
        if ending == "fails":
            raise LookupError("lost")
        if ending == "answers":
            await send({"type": "http.response.start", "status": 200, "headers": []})

    served = limited(handler)
    asking = asyncio.create_task(served.get())
    assert (await asking).status == 504
    assert asking.cancelling() == 0
    (line,) = served.lines
    assert (line["status_code"], line["failure"]) == (504, "TimeoutError")


async def test_a_cancellation_that_a_handler_swallows_is_taken_back_as_well() -> None:
    async def handler(scope: Any, receive: Any, send: Any) -> None:
        with suppress(asyncio.CancelledError):
            await never()

    served = limited(handler)
    asking = asyncio.create_task(served.get())
    assert (await asking).status == 504
    assert asking.cancelling() == 0


async def test_what_others_cancel_while_a_thread_goes_on_stays_cancelled() -> None:
    app, gate = FastAPI(), threading.Event()

    @app.get("/")
    def blocking() -> None:
        gate.wait()

    served = limited(app)
    asking = asyncio.create_task(served.get())
    while not served.lines:
        await asyncio.sleep(0)
    asking.cancel()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await asking
