"""A handler may have a time limit of its own, and the shortest of all is known."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from fastforge.exceptions import ComponentError, Location
from fastforge.web import time_limit
from fastforge.web.limits import shortest_time_limit, time_limit_of

DEFAULT_S = 30.0


async def handler() -> None: ...


def test_a_marked_handler_is_the_same_function() -> None:
    async def slow() -> None: ...

    assert time_limit(120)(slow) is slow
    assert time_limit_of(slow, DEFAULT_S) == 120


def test_a_handler_without_a_mark_has_the_limit_of_the_settings() -> None:
    assert time_limit_of(handler, DEFAULT_S) == DEFAULT_S
    assert time_limit_of(handler, None) is None
    assert time_limit_of(None, DEFAULT_S) == DEFAULT_S


def test_a_handler_may_have_no_limit() -> None:
    @time_limit(None)
    async def stream() -> None: ...

    assert time_limit_of(stream, DEFAULT_S) is None


def test_a_wrapper_of_the_users_keeps_the_limit() -> None:
    def traced(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        async def wrapper() -> Any:
            return await function()

        return wrapper

    @traced
    @time_limit(5)
    async def slow() -> None: ...

    assert time_limit_of(slow, DEFAULT_S) == 5


@pytest.mark.parametrize(
    "seconds",
    [0, -1, float("nan"), float("inf"), True, "10", handler],
    ids=lambda each: getattr(each, "__name__", repr(each)),
)
def test_what_is_no_length_of_time_is_refused_with_its_place(seconds: Any) -> None:
    with pytest.raises(ComponentError, match="is no time limit") as caught:
        time_limit(seconds)
    assert caught.value.code == "web.E020"
    assert isinstance(caught.value.where, Location)
    assert caught.value.where.file == __file__


def test_what_keeps_no_mark_is_refused() -> None:
    class Orders:
        async def show(self) -> None: ...

    with pytest.raises(ComponentError, match="cannot be marked") as caught:
        time_limit(10)(Orders().show)
    assert caught.value.code == "web.E021"


def test_the_decorator_stands_above_or_below_that_of_the_route() -> None:
    router = APIRouter()

    @router.get("/above")
    @time_limit(7)
    async def below() -> None: ...

    @time_limit(5)
    @router.get("/below")
    async def above() -> None: ...

    app = FastAPI()
    app.include_router(router, prefix="/api")
    assert shortest_time_limit(app.routes, DEFAULT_S) == 5
    assert shortest_time_limit(app.routes, 3) == 3


def test_the_shortest_limit_is_found_in_sockets_and_mounted_applications() -> None:
    async def endpoint(request: Any) -> Any: ...

    marked = time_limit(2)(endpoint)
    inner = Starlette(routes=[Mount("/deeper", routes=[Route("/", marked)])])
    app = FastAPI()
    app.mount("/inner", inner)
    assert shortest_time_limit(app.routes, None) == 2
    socket = FastAPI()
    socket.add_api_websocket_route("/ws", time_limit(1)(handler))
    assert shortest_time_limit(socket.routes, DEFAULT_S) == 1


def test_without_any_limit_there_is_no_shortest() -> None:
    assert shortest_time_limit(FastAPI().routes, None) is None
