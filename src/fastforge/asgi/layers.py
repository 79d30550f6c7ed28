"""Layers: the middleware of the settings and of the apps, in its order."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware

from ..project import Project
from ..web.layers import SETTINGS, Layer, Placed, declared_layers
from ..web.middleware import Middleware, Slot

__all__ = ["add_middleware"]


def add_middleware(app: FastAPI, project: Project) -> None:
    """Put the layers around what is there, so that the first one becomes the outermost.

    Raises:
        ComponentError: One of them cannot be imported, or its options do not fit.
    """
    layers = (*_host_check(project), *declared_layers(project.settings, project.registry))
    for layer in reversed(layers):
        if layer.middleware.slot is Slot.ROUTER:
            app.router.middleware_stack = layer.wrap(app.router.middleware_stack)
        else:
            app.user_middleware.insert(0, Placed(layer))


def _host_check(project: Project) -> Iterator[Layer]:
    """Yield the layer that refuses other Host headers than ALLOWED_HOSTS has."""
    allowed: list[str] = [*project.settings["ALLOWED_HOSTS"]]
    if project.settings.environment == "test":
        allowed.append("testserver")  # what Starlette's test client calls itself
    if "*" not in allowed:
        layer = Middleware(TrustedHostMiddleware, allowed_hosts=allowed)
        where = project.settings.where("ALLOWED_HOSTS")
        yield Layer(middleware=layer, brought_by=SETTINGS, where=where)
