"""Layers: the middleware of the settings and of the apps, in its order."""

from __future__ import annotations

from fastapi import FastAPI

from ..project import Project
from ..web.layers import Placed, declared_layers
from ..web.middleware import Slot

__all__ = ["add_middleware"]


def add_middleware(app: FastAPI, project: Project) -> None:
    """Put the layers around what is there, so that the first one becomes the outermost.

    Raises:
        ComponentError: One of them cannot be imported, or its options do not fit.
    """
    for layer in reversed([*declared_layers(project.settings, project.registry)]):
        if layer.middleware.slot is Slot.ROUTER:
            app.router.middleware_stack = layer.wrap(app.router.middleware_stack)
        else:
            app.user_middleware.insert(0, Placed(layer))
