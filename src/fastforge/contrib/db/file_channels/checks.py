"""Channels by a database that is no file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ....channels.carrying.broker import chosen_backend
from ....channels.kinds import CHANNEL_BACKENDS, CHANNELS
from ....checks import Level, Message, check
from .fitness import NAME, refusal

if TYPE_CHECKING:
    from ....project import Project

__all__ = ["file_carries_messages"]


@check(tags={"channels", "database"})
def file_carries_messages(project: Project) -> Iterator[Message]:
    """Find a database that is no file by which processes could hear each other."""
    settings, registry = project.settings, project.registry
    chosen = chosen_backend(settings, registry.values(CHANNEL_BACKENDS))
    problem = refusal(settings)
    if problem is not None and chosen == NAME and registry.values(CHANNELS):
        yield Message(
            id=problem.code,
            level=Level.ERROR,
            text=problem.message,
            hint=problem.hint,
            where=settings.where("CHANNELS") or settings.where("DATABASES"),
        )
