"""Resolution: which error format holds for a request."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from fastapi import APIRouter
from pydantic import TypeAdapter
from starlette.types import Scope

from ...components import Component
from ...exceptions import ComponentError
from .formats import PROBLEM_DETAILS, ErrorFormat
from .problems import Problem

__all__ = ["FORMATS", "ROOT", "ErrorFormats", "Writer"]

logger = logging.getLogger("fastforge.web")

FORMATS: Final = "fastforge.error_formats"
"""The key of the scope under which whoever answers finds the formats of the application."""
ROOT: Final = "fastforge.root_path"
"""The key of the scope for the path that the application is mounted or served under, if any."""

_PARAMETER: Final = re.compile(r"\{[^}:]*(:path)?[^}]*\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """An error format, and what writes its bodies."""

    format: ErrorFormat
    adapter: TypeAdapter[Any]

    @classmethod
    def of(cls, format: ErrorFormat) -> Writer:
        """Return the writer of a format."""
        return cls(format=format, adapter=format.adapter())

    def write(self, problem: Problem) -> bytes:
        """Return the body of a problem."""
        body = self.format.function(problem)
        return self.adapter.dump_json(body, by_alias=True, warnings="error")


@cache
def _standard_writer() -> Writer:
    return Writer.of(PROBLEM_DETAILS)


@dataclass(frozen=True, slots=True)
class _Region:
    """The paths below a prefix, and what writes their errors."""

    prefix: str
    pattern: re.Pattern[str]
    writer: Writer


class ErrorFormats:
    """The error formats of one application.

    A request finds its format in this order: that of the app that its route comes from, that of
    the longest prefix its path stands below, RFC 9457. The prefix of an app counts as one of its
    format's, for the paths that no route answers.

    Args:
        declared: The formats that the installed apps declare.
        routers: The routers that they declare; a route belongs to the app of the innermost.
        prefixes: What stands before an app's routes, by the app's label.

    Raises:
        ComponentError: Two formats hold for the same app or the same prefix.
    """

    def __init__(
        self,
        declared: Iterable[Component[ErrorFormat]] = (),
        routers: Iterable[Component[APIRouter]] = (),
        prefixes: Mapping[str, str] | None = None,
    ) -> None:
        self.default = _standard_writer()
        self._routers = tuple(routers)
        self._of_app: dict[str, Writer] = {}
        self._of_route: dict[int, Writer] | None = None
        regions: list[_Region] = []
        for component in _without_clashes(declared):
            writer, prefix = Writer.of(component.value), component.value.prefix
            if prefix is None:
                self._of_app[component.app] = writer
                prefix = (prefixes or {}).get(component.app, "")
            prefix = prefix.rstrip("/")
            regions.append(_Region(prefix, _pattern(prefix), writer))
        self._regions = sorted(regions, key=lambda region: -len(region.prefix))

    def for_scope(self, scope: Scope) -> Writer:
        """Return what writes the error answers of a request, whether a route was found or not."""
        context = scope.get("fastapi", {}).get("effective_route_context")
        route = getattr(context, "original_route", None) or scope.get("route")
        return self.for_route(route, _path(scope))

    def for_route(self, route: object, path: str) -> Writer:
        """Return what writes the error answers of a route.

        Args:
            route: As its router has it; None when no route was found.
            path: Where it answers, or the path that was asked for.
        """
        if self._of_app and route is not None:
            if self._of_route is None:  # not before every route is there
                self._of_route = dict(self._owned_routes())
            if id(route) in self._of_route:
                return self._of_route[id(route)]
        found = (region.writer for region in self._regions if region.pattern.match(path))
        return next(found, self.default)

    def write(self, problem: Problem, scope: Scope) -> tuple[bytes, str]:
        """Return the body of a problem that answers a request, and its media type."""
        writer = self.for_scope(scope)
        try:
            return writer.write(problem), writer.format.media_type
        except Exception:
            logger.exception("the error format %r has failed", writer.format.name)
            return self.default.write(problem), self.default.format.media_type

    def _owned_routes(self) -> Iterator[tuple[int, Writer]]:
        owners = {id(router.value): router.app for router in self._routers}

        def routes_of(router: APIRouter) -> Iterator[object]:
            for route in router.routes:
                # FastAPI keeps an inclusion as a route of a private class, with this attribute.
                inner = getattr(route, "original_router", None)
                if not isinstance(inner, APIRouter):
                    yield route
                elif id(inner) not in owners:
                    yield from routes_of(inner)

        for router in self._routers:
            writer = self._of_app.get(router.app)
            if writer is not None:
                yield from ((id(route), writer) for route in routes_of(router.value))


def _without_clashes(
    declared: Iterable[Component[ErrorFormat]],
) -> Iterator[Component[ErrorFormat]]:
    found: dict[tuple[str, str], Component[ErrorFormat]] = {}
    for component in declared:
        prefix = component.value.prefix
        place = ("app", component.app) if prefix is None else ("prefix", prefix.rstrip("/"))
        other = found.setdefault(place, component)
        if other is not component:
            raise ComponentError(
                f"two error formats hold for the {place[0]} {place[1] or '/'!r}:"
                f" {other.name} ({other.location}) and {component.name} ({component.location})",
                code="web.E032",
                hint="keep one, or give one of them another prefix",
                where=component.location,
            )
        yield component


def _pattern(prefix: str) -> re.Pattern[str]:
    """Return what matches a prefix and all below it; a parameter in it stands for one segment."""
    text, end = "", 0
    for match in _PARAMETER.finditer(prefix):
        text += re.escape(prefix[end : match.start()]) + (".+" if match[1] else "[^/]+")
        end = match.end()
    return re.compile(f"{text}{re.escape(prefix[end:])}(/|$)")


def _path(scope: Scope) -> str:
    """Return the path within the application: without what it is mounted or served under."""
    path: str = scope.get("path", "")
    # The first is set inside the application, where the last may be that of a mount of its own.
    keys = (ROOT, "app_root_path", "root_path")
    root: str = next((scope[key] for key in keys if key in scope), "").rstrip("/")
    return path[len(root) :] if path == root or path.startswith(f"{root}/") else path
