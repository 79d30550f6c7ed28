"""Each request is counted once, however it ends, and only while somebody exports that."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI

from fastforge.middleware.deadline import leave_out
from fastforge.observability.events import HTTP_DURATION, HTTP_RESPONSE_SIZE
from fastforge.observability.metrics import Histogram, Meter
from fastforge.observability.metrics.requests import RequestMeter

from .asgi import Served, hello


def shop() -> FastAPI:
    app = FastAPI()

    @app.get("/items/{item_id}")
    async def item(item_id: str) -> str:
        return item_id

    @app.get("/raises")
    async def raises() -> None:
        raise LookupError("no")

    @app.get("/leaves")
    async def leaves() -> None:
        raise asyncio.CancelledError

    return app


class Counted(Served):
    """An application whose edge counts."""

    def __init__(self, app: Any, **rules: Any) -> None:
        super().__init__(app, **rules)
        self.meter = Meter()
        self.state.requests = RequestMeter(self.meter)

    def counts(self) -> dict[tuple[str, ...], int]:
        found = {}
        for each in self.meter.samples():
            assert isinstance(each.value, Histogram)
            if each.metric == HTTP_DURATION:
                found[each.labels] = each.value.count
        return found


async def test_every_end_of_a_request_is_counted_once() -> None:
    served = Counted(shop())
    await served.get("/items/1")
    await served.get("/items/2")
    await served.get("/nothing/1")
    await served.get("/nothing/2", method="BREW")
    with pytest.raises(LookupError):
        await served.get("/raises")
    with pytest.raises(asyncio.CancelledError):
        await served.get("/leaves")
    assert served.counts() == {
        ("GET", "/items/{item_id}", "200"): 2,
        ("GET", "__unmatched__", "404"): 1,
        ("__other__", "__unmatched__", "404"): 1,
        ("GET", "/raises", "500"): 1,
        ("GET", "/leaves", ""): 1,
    }
    assert len(served.lines) == 6
    sizes = [each.value for each in served.meter.samples() if each.metric == HTTP_RESPONSE_SIZE]
    assert isinstance(sizes[0], Histogram)
    assert sizes[0].count == 6


async def test_a_refusal_of_the_edge_is_counted_and_a_probe_is_not() -> None:
    served = Counted(hello, allows_host=lambda host: False, probes={"/livez": hello})
    await served.get("/livez")
    assert served.counts() == {}
    await served.get("/anything")
    assert served.counts() == {("GET", "__unmatched__", "400"): 1}


async def test_what_is_left_out_has_its_line_all_the_same() -> None:
    async def page(scope: Any, receive: Any, send: Any) -> None:
        leave_out(scope)
        await hello(scope, receive, send)

    served = Counted(page)
    await served.get("/metrics")
    assert served.counts() == {}
    assert len(served.lines) == 1


async def test_nothing_is_counted_while_nobody_exports() -> None:
    served = Counted(hello)
    served.state.requests = None
    await served.get("/")
    assert served.counts() == {}


async def test_open_sockets_are_counted() -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(served.state.sockets)
        await send({"type": "websocket.accept"})

    served = Counted(app)
    await served.connect()
    assert seen == [1]
    assert served.state.sockets == 0
