"""Layers: the middleware that a project declares, with who brings each and where it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from starlette.middleware import Middleware as StarletteMiddleware

from .._utils import told
from ..components import Registry
from ..conf import Settings
from ..exceptions import ComponentError, ForgeError, Location
from .kinds import MIDDLEWARE
from .middleware import Middleware

__all__ = ["SETTINGS", "Layer", "Placed", "declared_layers", "settings_entries"]

SETTINGS: Final = "settings"
"""Who brings the layers of the setting MIDDLEWARE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A declared middleware and its origin.

    Args:
        middleware: What is declared.
        brought_by: The label of the app that declares it, or `settings`.
        where: Where it is written.
    """

    middleware: Middleware
    brought_by: str
    where: Location | None

    def wrap(self, app: Any, /, *_: Any, **__: Any) -> Any:
        """Return the layer around an application.

        Raises:
            ComponentError: Its class raises, or what it makes is no layer.
        """
        try:
            made = self.middleware.wrap(app)
        except ForgeError:
            raise
        except Exception as error:  # it is anybody's code
            raise ComponentError(
                f"the middleware {self.middleware.name} cannot be made: {told(error)}",
                code="web.E008",
                hint="look at its options, and at what its class does with them",
                where=self.where,
            ) from error
        if callable(made):
            return made
        raise ComponentError(
            f"the middleware {self.middleware.name} makes no layer but"
            f" {'None' if made is None else f'a {type(made).__qualname__}'}",
            code="web.E008",
            hint="return what can be called with scope, receive and send",
            where=self.where,
        )


class Placed(StarletteMiddleware):
    """A layer as an entry of `app.user_middleware`, which remembers its origin.

    For every tool that reads that list it is the entry that `app.add_middleware` would have made.
    """

    def __init__(self, layer: Layer) -> None:
        super().__init__(layer.middleware.load(), **layer.middleware.options)
        self.layer = layer

    def __iter__(self) -> Iterator[Any]:
        # What the application calls to make the layer; it then says in one line what goes wrong.
        return iter((self.layer.wrap, self.args, self.kwargs))


def declared_layers(settings: Settings, registry: Registry) -> Iterator[Layer]:
    """Yield the layers of the settings, then those of the apps, the outermost first.

    Raises:
        ComponentError: An entry of the settings is no middleware, or its options do not fit.
    """
    for entry, where in settings_entries(settings):
        try:
            middleware = Middleware.of(entry)
            middleware.validate()
        except ForgeError as error:
            error.where = error.where or where
            raise
        yield Layer(middleware=middleware, brought_by=SETTINGS, where=where)
    for component in registry.components(MIDDLEWARE):
        yield Layer(middleware=component.value, brought_by=component.app, where=component.location)


def settings_entries(settings: Settings) -> Iterator[tuple[object, Location | None]]:
    """Yield the entries of the setting MIDDLEWARE, right or wrong, with the line of each."""
    entries: list[object] = settings["MIDDLEWARE"]
    for index, entry in enumerate(entries):
        yield entry, settings.raw.entry_location("MIDDLEWARE", index)
