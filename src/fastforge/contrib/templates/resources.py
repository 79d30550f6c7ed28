"""The resource `renderer`, and the annotation that gives it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from ...lifecycle import current_container, provide, resource
from .engine import make_engine
from .renderer import Renderer

__all__ = ["Render", "renderer"]


@resource
async def renderer() -> AsyncIterator[Renderer]:
    """Make the engine once; a template is read when it is first used."""
    container = current_container()
    yield Renderer(make_engine(container.settings, container.registry))


Render = Annotated[Renderer, provide(renderer)]
"""Fills templates: `render("blog/index.html", {"posts": posts})`."""
