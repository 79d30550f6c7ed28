"""Layers: the middleware of the settings and of the apps, in its order."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware

from ..exceptions import ForgeError
from ..project import Project
from ..web.kinds import MIDDLEWARE
from ..web.middleware import Middleware, Slot

__all__ = ["add_middleware"]


def add_middleware(app: FastAPI, project: Project) -> None:
    """Put the layers around what is there, so that the first one becomes the outermost.

    Raises:
        ComponentError: One of them cannot be imported.
    """
    for layer in reversed(tuple(_middleware(project))):
        if layer.slot is Slot.ROUTER:
            app.router.middleware_stack = layer.wrap(app.router.middleware_stack)
        else:
            app.add_middleware(layer.load(), **layer.options)


def _middleware(project: Project) -> Iterator[Middleware]:
    """Yield the layers of the settings, then those of the apps, the outermost first."""
    yield from _host_check(project)
    try:
        for entry in project.settings["MIDDLEWARE"]:
            layer = Middleware.of(entry)
            layer.validate()
            yield layer
    except ForgeError as error:
        error.where = error.where or project.settings.where("MIDDLEWARE")
        raise
    yield from project.registry.values(MIDDLEWARE)


def _host_check(project: Project) -> Iterator[Middleware]:
    """Yield the layer that refuses other Host headers than ALLOWED_HOSTS has."""
    allowed: list[str] = [*project.settings["ALLOWED_HOSTS"]]
    if project.settings.environment == "test":
        allowed.append("testserver")  # what Starlette's test client calls itself
    if "*" not in allowed:
        yield Middleware(TrustedHostMiddleware, allowed_hosts=allowed)
