"""Patterns: which paths a route may match, segment by segment, never fewer than it does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.convertors import (
    Convertor,
    FloatConvertor,
    IntegerConvertor,
    StringConvertor,
    UUIDConvertor,
)
from starlette.routing import PARAM_REGEX, BaseRoute, Mount, Route, WebSocketRoute

__all__ = ["ANYWHERE", "Pattern", "matches_by_path", "pattern_of"]

# They match at least one character, and never a slash. Told by the regular expression, for that
# is what the path is matched with, whatever the class that brings it is called.
WITHIN_SEGMENT: Final = frozenset(
    each.regex for each in (StringConvertor, IntegerConvertor, FloatConvertor, UUIDConvertor)
)
BELOW_MOUNT: Final = "/{path:path}"
BY_PATH: Final = frozenset(
    each.matches for each in (Route, WebSocketRoute, Mount, APIRoute, APIWebSocketRoute)
)
"""The methods that ask nothing of a path but that the route's regular expression matches it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """What is certain of the paths that a route matches.

    Surprises: empty segments at the end are left out, of patterns as of paths. So a route and
    the route that it is redirected to, with or without the last slash, are found together.

    Args:
        segments: From the left: a text, or None where a parameter takes part.
        ends: Whether the path ends there; else anything may follow.
    """

    segments: tuple[str | None, ...] = ()
    ends: bool = False


ANYWHERE: Final = Pattern()
"""Of a route that decides in its own way: it may match any path."""


def pattern_of(decides: BaseRoute, shape: Any) -> Pattern:
    """Return the pattern of a route.

    Args:
        decides: The route whose `matches` is called.
        shape: What has the path with its regular expression: the route itself, or the route as
            it stands in an inclusion, with the prefixes.
    """
    if not matches_by_path(decides):
        return ANYWHERE
    path, regex, convertors = shape.path, shape.path_regex, shape.param_convertors
    for whole in (path, path + BELOW_MOUNT):
        # A class may have changed the expression that FastAPI made of the path.
        if _regex(whole, convertors) == regex.pattern and regex.flags == re.UNICODE:
            return _read(whole, convertors)
    return ANYWHERE


def matches_by_path(route: BaseRoute) -> bool:
    """Whether a route asks for its path and its methods alone, as FastAPI's own routes do."""
    return type(route).matches in BY_PATH and "matches" not in vars(route)


def _regex(path: str, convertors: Mapping[str, Convertor[Any]]) -> str | None:
    """Return the regular expression that Starlette makes of a path."""
    if not path.startswith("/"):
        return None
    made, end = "^", 0
    for found in PARAM_REGEX.finditer(path):
        if found[1] not in convertors:
            return None
        made += re.escape(path[end : found.start()])
        made += f"(?P<{found[1]}>{convertors[found[1]].regex})"
        end = found.end()
    return made + re.escape(path[end:]) + "$"


def _read(path: str, convertors: Mapping[str, Convertor[Any]]) -> Pattern:
    segments: list[str | None] = []
    ends = True
    for segment in path.split("/")[1:]:
        parameters = PARAM_REGEX.findall(segment)
        if any(convertors[name].regex not in WITHIN_SEGMENT for name, _ in parameters):
            ends = False
            break
        segments.append(None if parameters else segment)
    while segments and segments[-1] == "":
        segments.pop()
    return Pattern(segments=tuple(segments), ends=ends)
