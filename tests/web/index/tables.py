"""Tables of routes: generated as values, and built into as many applications as wanted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response, WebSocket
from fastapi.exceptions import FastAPIError
from fastapi.routing import APIRoute
from hypothesis import strategies as st
from starlette.convertors import Convertor, register_url_convertor
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Match, Mount, Route
from starlette.types import Message, Receive, Scope, Send

__all__ = ["Entry", "Table", "build", "declared_paths", "filled", "noise", "said", "tables"]

TEXTS = ("a", "b", "a", "b", "1", "a.b")
PARAMETERS = ("{}", "{}", "{:int}", "{:float}", "{:uuid}", "a{}", "{}-{}", "{}.json", "{:two}")
GREEDY = ("{:path}", "a{:path}", "{:odd}")
PARAMETER = re.compile(r"\{:?(\w*)\}")
UUID = "12345678-1234-5678-1234-567812345678"
SAID = (*TEXTS, *TEXTS, "A", "ab", "1.5", "x-y", "x.json", "zz", UUID, "", "é", "b c", "%2F")

FITTING = {"int": "7", "float": "1.5", "uuid": UUID, "two": "ab", "path": "a/b", "odd": "a/"}


class TwoConvertor(Convertor[str]):
    """One that only `Convertor` knows: two letters of one segment."""

    regex = "[a-z]{2}"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class OddConvertor(TwoConvertor):
    """One that may match nothing, and any number of segments."""

    regex = "(?:a/)*"


register_url_convertor("two", TwoConvertor())
register_url_convertor("odd", OddConvertor())


class AnyCase(Route):
    """A route that decides in its own way, by the path without its case."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return super().matches({**scope, "path": scope["path"].lower()})


class Handling(APIRoute):
    """A route of FastAPI's that handles in its own way."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-handled", b"1")]
            await send(message)

        await super().handle(scope, receive, marked)


class Shut(APIRouter):
    """A router that decides in its own way: it has every path, for those who say so."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return (Match.FULL if b"open" in dict(scope["headers"]) else Match.NONE), {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a table.

    Args:
        kind: What it is: a name of `KINDS`.
        path: Its path or the prefix of the router.
        methods: Of a route.
        prefix: What the inclusion puts before.
        entries: What an inclusion includes.
        redirects: Whether an included router redirects slashes.
        max_fields: Of a form, as an inclusion limits it; 0 where it says nothing.
    """

    kind: str
    path: str = ""
    methods: tuple[str, ...] = ()
    prefix: str = ""
    entries: tuple[Entry, ...] = ()
    redirects: bool = True
    max_fields: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Everything of one application."""

    entries: tuple[Entry, ...]
    redirects: bool = True
    max_fields: int = 0


def _path(*, greedy: bool, least: int, most: int, slash: bool) -> st.SearchStrategy[str]:
    segment = st.sampled_from((*TEXTS, *TEXTS, *PARAMETERS, *(GREEDY if greedy else ())))
    paths = st.lists(segment, min_size=least, max_size=most).map(
        lambda segments: "".join(f"/{each}" for each in segments)
    )
    if not slash:
        return paths
    return st.tuples(paths, st.sampled_from(("", "", "", "/", "//"))).map(
        lambda both: (both[0] + both[1]) or "/"
    )


ROUTE_PATHS = _path(greedy=True, least=0, most=3, slash=True)
PREFIXES = _path(greedy=False, least=0, most=2, slash=False)
METHODS = st.sampled_from(
    (("GET",), ("GET",), ("POST",), ("GET", "POST"), ("HEAD",), ("DELETE",), ("OPTIONS", "GET"))
)
OTHERS = ("socket", "starlette", "starlette socket", "mount", "own", "own handling", "host")
MAX_FIELDS = st.sampled_from((0, 0, 5, 7))
LEAVES = st.one_of(
    st.builds(Entry, kind=st.just("api"), path=ROUTE_PATHS, methods=METHODS),
    st.builds(Entry, kind=st.just("api"), path=ROUTE_PATHS, methods=METHODS),
    st.builds(Entry, kind=st.just("socket"), path=ROUTE_PATHS),
    st.builds(
        Entry,
        kind=st.sampled_from(OTHERS),
        path=ROUTE_PATHS,
    ),
)


def _entries(depth: int) -> st.SearchStrategy[tuple[Entry, ...]]:
    one = LEAVES
    if depth:
        one = LEAVES | st.builds(
            Entry,
            kind=st.sampled_from(("include", "include", "include", "shut")),
            path=PREFIXES,
            prefix=PREFIXES,
            entries=_entries(depth - 1),
            redirects=st.booleans(),
            max_fields=MAX_FIELDS,
        )
    return st.lists(one, min_size=2, max_size=8).map(tuple)


tables = st.builds(
    Table,
    entries=_entries(3),
    redirects=st.sampled_from((True, True, False)),
    max_fields=MAX_FIELDS,
)
noise = st.lists(st.sampled_from(SAID), max_size=5).map(
    lambda said: "/" + "/".join(said)
) | st.sampled_from(("", "*", "//", "/docs", "/docs/", "/openapi.json", "/root", "/root/a"))

said = st.lists(st.sampled_from(SAID), min_size=4, max_size=4)


def declared_paths(table: Table) -> list[str]:
    """Return the whole paths of the routes, parameters without their names."""
    return list(_below(table.entries, ""))


def filled(path: str, values: list[str]) -> str:
    """Return a path that a route may match: its parameters replaced, `{}` by anything."""
    given = iter(values)
    return PARAMETER.sub(lambda found: FITTING.get(found[1]) or next(given, "a"), path)


def _below(entries: tuple[Entry, ...], before: str) -> Iterator[str]:
    for entry in entries:
        if entry.entries:
            yield from _below(entry.entries, before + entry.prefix + entry.path)
        else:
            yield before + entry.path


def build(table: Table) -> FastAPI:
    """Return an application with the routes of a table; each tells who it is."""
    app = FastAPI(redirect_slashes=table.redirects, **_limits(table.max_fields))
    names = (f"n{number}" for number in count())
    _fill(app.router, table.entries, names)
    return app


def _fill(router: APIRouter, entries: tuple[Entry, ...], names: Iterator[str]) -> None:
    for entry in entries:
        name = next(names)
        if entry.kind in ("include", "shut"):
            cls = Shut if entry.kind == "shut" else APIRouter
            prefix, limits = _named(entry.path, names), _limits(entry.max_fields)
            inner = cls(prefix=prefix, redirect_slashes=entry.redirects, **limits)
            _fill(inner, entry.entries, names)
            _include(router, inner, _named(entry.prefix, names), name)
        else:
            ADDING[entry.kind](router, _named(entry.path, names), entry, name)


def _limits(max_fields: int) -> dict[str, Any]:
    return {"form_limits": {"max_fields": max_fields}} if max_fields else {}


def _include(router: APIRouter, inner: APIRouter, prefix: str, name: str) -> None:
    def mark(response: Response) -> None:
        response.headers.append("x-dependency", name)

    with suppress(FastAPIError):  # it refuses some that have neither a prefix nor a path
        router.include_router(inner, prefix=prefix, dependencies=[Depends(_async(mark))])


def _async(function: Callable[[Response], None]) -> Callable[..., Any]:
    async def call(response: Response) -> None:  # a plain one would need a thread
        function(response)

    return call


def _named(path: str, names: Iterator[str]) -> str:
    """Give the parameters names that are unique in the table."""
    while "{}" in path or "{:" in path:
        path = path.replace("{", f"<{next(names)}", 1)
    return path.replace("<", "{")


def _told(name: str, request: Any) -> dict[str, Any]:
    scope = request.scope
    context = scope.get("fastapi", {}).get("effective_route_context")
    return {
        "name": name,
        "parameters": {key: str(value) for key, value in request.path_params.items()},
        "route": getattr(scope.get("route"), "path", None),
        "template": getattr(context, "path_format", None),
        "root_path": scope.get("root_path"),
        "is_root": scope["router"] is scope["app"].router,
        "form_limits": scope.get("fastapi", {}).get("form_limits"),
    }


def _api(router: APIRouter, path: str, entry: Entry, name: str) -> None:
    async def handler(request: Request) -> dict[str, Any]:
        return _told(name, request)

    cls = Handling if entry.kind == "own handling" else None
    router.add_api_route(
        path,
        handler,
        methods=list(entry.methods or ("GET",)),
        name=name,
        route_class_override=cls,
    )


def _socket(router: APIRouter, path: str, entry: Entry, name: str) -> None:
    async def handler(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_json(_told(name, websocket))
        await websocket.close()

    if entry.kind == "socket":
        router.add_api_websocket_route(path, handler, name=name)
    else:
        router.add_websocket_route(path, handler, name=name)


def _starlette(router: APIRouter, path: str, entry: Entry, name: str) -> None:
    async def handler(request: Request) -> Response:
        return PlainTextResponse(repr(_told(name, request)))

    if entry.kind == "own":
        router.routes.append(AnyCase(path, handler, name=name))
    else:
        router.add_route(path, handler, name=name)


def _mounted(router: APIRouter, path: str, entry: Entry, name: str) -> None:
    inner = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    async def handler(rest: str, request: Request) -> dict[str, Any]:
        return _told(name, request)

    inner.add_api_route("/{rest:path}", handler, methods=["GET"])
    if entry.kind == "host":
        router.routes.append(Host("{tenant}.shop.test", inner, name=name))
    else:
        router.routes.append(Mount(path, inner, name=name))


ADDING: dict[str, Callable[[APIRouter, str, Entry, str], None]] = {
    "api": _api,
    "socket": _socket,
    "starlette": _starlette,
    "starlette socket": _socket,
    "own": _starlette,
    "own handling": _api,
    "mount": _mounted,
    "host": _mounted,
}
