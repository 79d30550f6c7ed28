"""Stack: what a request passes in the application that is served, the outermost layer first."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI
from starlette.middleware import Middleware as StarletteMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.routing import Router

from .._utils import is_written_by_the_user, where_written, without_partials
from ..asgi.building import Unbuilt
from ..conf.redaction import masked
from ..exceptions import Location
from ..web.layers import SETTINGS, Layer, Placed, declared_layers
from ..web.middleware import Slot

if TYPE_CHECKING:
    from ..project import Project

__all__ = ["Passed", "passed_layers"]

APPLICATION: Final = "application"
"""Who brings what the code that makes the application has added to it."""
HIDDEN: Final = "(what this one encloses: it has no attribute app)"
FASTFORGE: Final = "fastforge"
LIBRARIES: Final = (FASTFORGE, "fastapi", "starlette")
SETTINGS_OF: Final = {CORSMiddleware: "CORS"}
"""The layers that stand there because of a setting."""
PLAIN: Final = (str, int, float, list, tuple, frozenset, set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """One layer that a request passes.

    Args:
        name: The class, or the function that has made it; one whose name is taken has a number.
        app: Who brings it: the label of an app, `settings`, `application` or the library.
        where: Where it is written.
        slot: `router` for those around the router alone.
        options: What it was made with, without secrets; of a layer of a library the plain values.
    """

    name: str
    app: str
    where: str = ""
    slot: str = ""
    options: Mapping[str, Any]


def passed_layers(app: FastAPI, project: Project) -> Iterator[Passed]:
    """Yield every layer of an application, which is built for it and not started.

    It is what is there that is shown, and not what was asked for: each layer is followed to the
    application that it encloses, by its attribute `app` (of a function: by its variable).

    Args:
        app: The application that is served.
        project: Its project, whose settings and apps tell who brings what.

    Raises:
        ComponentError: A layer cannot be made.
    """
    around_router = [
        _Declared.of_layer(layer)
        for layer in declared_layers(project.settings, project.registry)
        if layer.middleware.slot is Slot.ROUTER
    ]
    around_all = [_Declared.of(entry) for entry in app.user_middleware]
    names: Counter[str] = Counter()
    for each in (
        *_described(
            app.build_middleware_stack(), around_all, app.router, project, ServerErrorMiddleware
        ),
        *_described(app.router.middleware_stack, around_router, app.router, project),
        Passed(name=_qualified(type(app.router)), app=_library(app.router), options={}),
    ):
        names[each.name] += 1
        number = names[each.name]
        yield each if number == 1 else replace(each, name=f"{each.name}[{number}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Declared:
    """What somebody has asked for: it is looked for in what there is."""

    factory: Any
    options: Mapping[str, Any]
    brought_by: str
    where: Location | None
    slot: Slot = Slot.APP

    @classmethod
    def of(cls, entry: StarletteMiddleware) -> _Declared:
        """Describe an entry of `app.user_middleware`."""
        if isinstance(entry, Placed):
            return cls.of_layer(entry.layer)
        factory = without_partials(entry.cls)
        return cls(
            factory=factory,
            options={**_positional(entry.cls, entry.args), **entry.kwargs},
            brought_by=FASTFORGE if _package(factory) == FASTFORGE else APPLICATION,
            where=_place(entry.kwargs.get("dispatch") or factory),  # of @app.middleware("http")
        )

    @classmethod
    def of_layer(cls, layer: Layer) -> _Declared:
        """Describe a layer of the settings or of an app."""
        return cls(
            factory=without_partials(layer.middleware.load()),
            options=layer.middleware.options,
            brought_by=layer.brought_by,
            where=layer.where,
            slot=layer.middleware.slot,
        )

    def has_made(self, made: object) -> bool:
        """Return whether a layer is what this factory returns."""
        if inspect.isclass(self.factory):
            return isinstance(made, self.factory)
        return _qualified(made).startswith(f"{_qualified(self.factory)}.<locals>.")

    def passed(self, project: Project) -> Passed:
        """Return the line that shows it."""
        return Passed(
            name=_qualified(self.factory),
            app=self.brought_by,
            where=str(self.where or ""),
            slot=self.slot.value,
            options={name: _shown(value, project) for name, value in self.options.items()},
        )


def _described(
    outermost: object,
    declared: list[_Declared],
    router: Router,
    project: Project,
    inside: type | None = None,
) -> Iterator[Passed]:
    """Describe each layer down to the router, and say where one cannot be followed.

    What was declared and is hidden behind such a layer is shown after it.

    Args:
        outermost: The first layer.
        declared: What was asked for, in order.
        router: The last.
        project: The project.
        inside: The layer that encloses all that was asked for.
    """
    waiting = [] if inside else declared
    for layer in _chain(outermost, router):
        if inside and isinstance(layer, inside):
            waiting = declared
        if layer is None:
            yield Passed(name=HIDDEN, app="", options={})
            yield from (each.passed(project) for each in waiting)  # it is in there
            return
        maker = next((number for number, each in enumerate(waiting) if each.has_made(layer)), None)
        if maker is None:
            yield _undeclared(layer, project)
        else:
            yield waiting[maker].passed(project)
            waiting = waiting[maker + 1 :]


def _chain(layer: object, router: Router) -> Iterator[object]:
    """Yield the layers from the outside in, and None where one does not show what it encloses."""
    seen: set[int] = set()
    while layer is not router and getattr(layer, "__self__", None) is not router:
        if layer is None or id(layer) in seen:
            yield None
            return
        if isinstance(layer, Unbuilt):
            raise layer.failure
        seen.add(id(layer))
        yield layer
        layer = _enclosed(layer)


def _enclosed(layer: object) -> object:
    inner = getattr(layer, "app", None)
    if inner is None and inspect.isfunction(layer):
        inner = inspect.getclosurevars(layer).nonlocals.get("app")
    return inner if callable(inner) else None


def _undeclared(layer: object, project: Project) -> Passed:
    kind = _kind(layer)
    setting = SETTINGS_OF.get(kind)
    where = project.settings.where(setting) if setting else _place(kind)
    values = {name: getattr(layer, name, None) for name in _parameters(kind) if name != "app"}
    return Passed(
        name=_qualified(kind),
        app=SETTINGS if setting else _library(layer),
        where=str(where or ""),
        options={
            name: _shown(value, project)
            for name, value in values.items()
            if isinstance(value, PLAIN)
        },
    )


def _library(layer: object) -> str:
    package = _package(_kind(layer))
    return package if package in LIBRARIES else APPLICATION


def _package(value: Any) -> str:
    return str(value.__module__).partition(".")[0]


def _kind(layer: object) -> Any:
    return layer if inspect.isroutine(layer) else type(layer)


def _qualified(value: Any) -> str:
    named = value if inspect.isclass(value) or inspect.isroutine(value) else type(value)
    return f"{named.__module__}.{named.__qualname__}"


def _place(factory: Any) -> Location | None:
    """Return where a class or function of the user's own is written."""
    place = where_written(factory)
    return place if place and is_written_by_the_user(place.file) else None


def _positional(factory: Any, values: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(_parameters(factory)[1:], values, strict=False))


def _parameters(factory: Any) -> list[str]:
    try:
        return list(inspect.signature(factory).parameters)
    except (TypeError, ValueError):
        return []


def _shown(value: Any, project: Project) -> Any:
    """Return an option without what the project has read as a secret, whatever its name."""
    secrets = project.settings.raw.record.secrets
    if isinstance(value, str):
        return masked(value, secrets)
    if isinstance(value, Mapping):
        return {key: _shown(each, project) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_shown(each, project) for each in value]
    if value is None or isinstance(value, bool | int | float) or inspect.isroutine(value):
        return value
    return value if inspect.isclass(value) else masked(repr(value), secrets)
