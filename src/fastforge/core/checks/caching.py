"""A cache that is not there, or is several."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...cache.backend import backend_hint
from ...cache.kinds import CACHE_BACKENDS
from ...cache.settings import Caching
from ...checks import Level, Message, check

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["cache_has_a_backend"]


@check(tags={"cache"})
def cache_has_a_backend(project: Project) -> Iterator[Message]:
    """Find a cache that nothing keeps."""
    name = project.settings.section(Caching).backend
    declared = {backend.name for backend in project.registry.values(CACHE_BACKENDS)}
    if name is not None and name not in declared:
        yield Message(
            id="cache.E020",
            level=Level.ERROR,
            text=f"no installed app declares the cache backend {name!r}",
            hint=backend_hint(name),
            where=project.settings.where("CACHE"),
        )
