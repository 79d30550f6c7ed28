"""Middleware that costs each request more than its handler does."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from starlette.middleware.base import BaseHTTPMiddleware

from ..._utils import where_written, without_partials
from ...checks import Level, Message, check
from ...exceptions import ForgeError, Location
from ...web.kinds import MIDDLEWARE
from ...web.layers import Placed, settings_entries
from ...web.middleware import Middleware
from .served import served

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["each_middleware", "middleware_is_plain_asgi"]

COST: Final = "about 0.2 ms of CPU"


@check(tags={"web", "async"})
def middleware_is_plain_asgi(project: Project) -> Iterator[Message]:
    """Tell which layers are a BaseHTTPMiddleware, and what that costs."""
    for factory, options, where in each_middleware(project):
        layer = without_partials(factory)
        if inspect.isclass(layer) and issubclass(layer, BaseHTTPMiddleware):
            yield _told(layer, options.get("dispatch"), where)


_Found = tuple[Callable[..., Any], dict[str, Any], Location | None]


def each_middleware(project: Project) -> Iterator[_Found]:
    """Yield what makes each layer, its options and where it is written, whoever brings it."""
    yield from _of_the_settings(project)
    yield from _of_the_apps(project)
    yield from _of_the_application(project)


def _of_the_settings(project: Project) -> Iterator[_Found]:
    for entry, where in settings_entries(project.settings):
        try:
            layer = Middleware.of(entry)
            yield layer.load(), dict(layer.options), where
        except ForgeError:  # core.E003 tells it
            continue


def _of_the_apps(project: Project) -> Iterator[_Found]:
    for component in project.registry.components(MIDDLEWARE):
        layer = component.value
        yield layer.load(), dict(layer.options), component.location


def _of_the_application(project: Project) -> Iterator[_Found]:
    """Yield what the code that makes the application has added, `@app.middleware` included."""
    app = served(project).app
    for entry in app.user_middleware if app else ():
        if not isinstance(entry, Placed):
            written: Any = entry.kwargs.get("dispatch") or without_partials(entry.cls)
            yield entry.cls, entry.kwargs, where_written(written)


def _told(layer: type, dispatch: Any, where: Location | None) -> Message:
    name = getattr(dispatch, "__qualname__", None) or layer.__qualname__
    return Message(
        id="web.W001",
        level=Level.WARNING,
        text=f"the middleware {name} is a BaseHTTPMiddleware: {COST} for each request, it does not"
        " see context variables that are set inside it, and a stream is over for it at the first"
        " byte",
        hint="write it as plain ASGI: a class whose __call__ takes scope, receive and send",
        where=where,
    )
