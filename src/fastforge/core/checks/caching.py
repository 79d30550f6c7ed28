"""A cache that is not there, or is several."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...cache.backend import MEMORY, backend_hint
from ...cache.kinds import CACHE_BACKENDS
from ...cache.settings import Caching
from ...checks import Level, Message, check
from ..processes import servers_of

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["cache_has_a_backend", "cache_is_shared"]


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


@check(tags={"cache"}, deploy=True)
def cache_is_shared(project: Project) -> Iterator[Message]:
    """Warn of a cache that each of several processes has for itself, where CACHE is written."""
    settings = project.settings
    where, servers = settings.where("CACHE"), servers_of(settings)
    name = settings.section(Caching).backend
    others = {each.name for each in project.registry.values(CACHE_BACKENDS)} - {MEMORY}
    is_memory = name == MEMORY or (name is None and not others)
    if is_memory and where is not None and servers > 1:
        yield Message(
            id="cache.W001",
            level=Level.WARNING,
            text=f"{servers} processes serve, and each has a cache of its own in memory: what is"
            " deleted or invalidated in one lives on in the others",
            hint='add "fastforge.contrib.redis" to INSTALLED_APPS, or let one process serve',
            where=where,
        )
