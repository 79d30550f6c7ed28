"""The index changes no answer: generated applications are asked the same with and without it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from starlette.types import Message, Scope

from fastforge.web.index import index_routes, why_not_indexed

from .tables import Table, build, declared_paths, filled, noise, said, tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request: to the path of a route of the table, or to any other."""

    kind: str
    method: str
    path: str
    route: int
    values: list[str]
    ending: str
    root_path: str
    headers: tuple[tuple[bytes, bytes], ...]


requests = st.builds(
    Asked,
    kind=st.sampled_from(("http", "http", "http", "http", "http", "websocket")),
    method=st.sampled_from(("GET", "GET", "GET", "POST", "HEAD", "DELETE", "OPTIONS")),
    path=noise,
    route=st.integers(0, 40),
    values=said,
    ending=st.sampled_from(("", "", "", "/", "//", "/a", "\n")),
    root_path=st.sampled_from(("", "", "", "", "/root", "/a", "/root/", "/a/")),
    headers=st.sampled_from(
        (
            ((b"host", b"shop.test"),),
            ((b"host", b"shop.test"), (b"open", b"1")),
            ((b"host", b"one.shop.test"),),
        )
    ),
)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


def answer(runner: asyncio.Runner, app: FastAPI, asked: Asked) -> list[Any]:
    """Return what an application sends, and what the scope says afterwards."""
    sent: list[Any] = []

    async def receive() -> Message:
        if asked.kind == "websocket":
            return {"type": "websocket.connect"}
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append({**message, "headers": sorted(map(ordered, message.get("headers", ())))})

    scope: Scope = {
        "type": asked.kind,
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http" if asked.kind == "http" else "ws",
        "path": asked.path,
        "raw_path": asked.path.encode(),
        "query_string": b"",
        "root_path": asked.root_path,
        "headers": list(asked.headers),
        "client": ("127.0.0.1", 1),
        "server": ("shop.test", 80),
        "subprotocols": [],
    }
    if asked.kind == "http":
        scope["method"] = asked.method
    try:
        runner.run(app(scope, receive, send))
    except Exception as error:
        sent.append(repr(error))
    found = scope.get("fastapi", {})
    context, inclusion = found.get("effective_route_context"), found.get("included_router")
    return [
        *sent,
        getattr(scope.get("route"), "path", None),
        getattr(scope.get("endpoint"), "__qualname__", None),
        getattr(context, "path_format", None),
        getattr(getattr(inclusion, "original_router", None), "prefix", None),
        scope.get("path_params"),
    ]


def ordered(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """The methods in Allow come out of a set: their order means nothing."""
    name, value = header
    return (name, b", ".join(sorted(value.split(b", ")))) if name == b"allow" else header


def compare(runner: asyncio.Runner, table: Table, asked: list[Asked]) -> None:
    stock, indexed = build(table), build(table)
    index_routes(indexed)
    assert why_not_indexed(indexed) == ""
    paths = declared_paths(table)
    for each in asked:
        if each.route < len(paths):
            path = filled(paths[each.route], each.values) + each.ending
            each = replace(each, path=each.root_path + path)
        expected = answer(runner, stock, each)
        first = expected[0]
        event(str(first.get("status", first["type"]) if isinstance(first, dict) else first))
        assert answer(runner, indexed, each) == expected, each


@given(table=tables, asked=st.lists(requests, min_size=10, max_size=30))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_every_answer_is_that_of_stock_routing(
    runner: asyncio.Runner, table: Table, asked: list[Asked]
) -> None:
    compare(runner, table, asked)


@pytest.mark.long
@given(table=tables, asked=st.lists(requests, min_size=30, max_size=60))
@settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow])
def test_tens_of_thousands_of_answers_are_those_of_stock_routing(
    runner: asyncio.Runner, table: Table, asked: list[Asked]
) -> None:
    compare(runner, table, asked)
