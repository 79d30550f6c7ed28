"""A pattern says what is certain of the paths that a route matches, and never more."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.convertors import Convertor, StringConvertor, register_url_convertor
from starlette.routing import Host, Match, Mount, Route, WebSocketRoute
from starlette.types import Scope

from fastforge.web.index.patterns import ANYWHERE, Pattern, pattern_of


async def handler() -> None: ...


class Dashed(StringConvertor):
    """One whose class is known by its parent, and whose expression has the slash."""

    regex = "[a-z/]+"


class Word(Convertor[str]):
    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return value.upper()

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("dashed", Dashed())
register_url_convertor("word", Word())


def of(route: Any) -> Pattern:
    return pattern_of(route, route)


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        ("/", ()),
        ("/a", ("a",)),
        ("/a/b/", ("a", "b")),
        ("/a//b//", ("a", "", "b")),
        ("/{x}/b", (None, "b")),
        ("/{x:int}/{y:float}/{z:uuid}/", (None, None, None)),
        ("/v{x}/{x1}-{x2}.json", (None, None)),
        ("/{x:word}", (None,)),
        ("/a{b/c", ("a{b", "c")),
        ("/a.b/é", ("a.b", "é")),
    ],
)
def test_a_path_without_greedy_parameters_is_as_many_segments(
    path: str, segments: tuple[str | None, ...]
) -> None:
    expected = Pattern(segments=segments, ends=True)
    assert of(Route(path, handler)) == expected
    assert of(APIRoute(path, handler)) == expected
    assert of(WebSocketRoute(path, handler)) == expected
    assert of(APIWebSocketRoute(path, handler)) == expected


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        ("/{x:path}", ()),
        ("/a/{x:path}", ("a",)),
        ("/a//{x:path}", ("a",)),
        ("/a/{y}/b{x:path}/c", ("a", None)),
        ("/a/{x:dashed}/b", ("a",)),
    ],
)
def test_after_a_parameter_that_may_have_slashes_nothing_is_certain(
    path: str, segments: tuple[str | None, ...]
) -> None:
    assert of(Route(path, handler)) == Pattern(segments=segments)


def test_a_mount_has_everything_below_its_path() -> None:
    inner = FastAPI()
    assert of(Mount("/static", inner)) == Pattern(segments=("static",))
    assert of(Mount("/{tenant}/app/", inner)) == Pattern(segments=(None, "app"))
    assert of(Mount("", inner)) == ANYWHERE


def test_a_route_that_decides_in_its_own_way_may_match_anywhere() -> None:
    class Own(Route):
        def matches(self, scope: Scope) -> tuple[Match, Scope]:
            return Match.FULL, {}

    class AnyCase(Route):
        def __init__(self, path: str, endpoint: Any) -> None:
            super().__init__(path, endpoint)
            self.path_regex = re.compile(self.path_regex.pattern, re.IGNORECASE)

    class Other(Route):
        def __init__(self, path: str, endpoint: Any) -> None:
            super().__init__(path, endpoint)
            self.path_regex = re.compile("^/elsewhere$")

    patched = Route("/a", handler)
    patched.matches = lambda scope: (Match.FULL, {})  # type: ignore[method-assign]
    for route in (
        Own("/a", handler),
        AnyCase("/a", handler),
        Other("/a", handler),
        patched,
        Host("shop.test", FastAPI()),
    ):
        assert of(route) == ANYWHERE


def test_a_subclass_that_only_handles_in_its_own_way_is_found_by_its_path() -> None:
    class Timed(APIRoute):
        def get_route_handler(self) -> Any:
            return super().get_route_handler()

    assert of(Timed("/a", handler)) == Pattern(segments=("a",), ends=True)
