"""Channels by a database that cannot carry them, now or before long."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Final

from ....channels.carrying.broker import chosen_backend
from ....channels.kinds import CHANNEL_BACKENDS, CHANNELS
from ....checks import Level, Message, check
from .fitness import NAME, refusal

if TYPE_CHECKING:
    from ....project import Project

__all__ = ["database_carries_messages", "notifications_are_read"]

FULL: Final = 0.1
"""Of its 8 GB: whoever reads leaves next to nothing there."""


@check(tags={"channels", "database"})
def database_carries_messages(project: Project) -> Iterator[Message]:
    """Find a database by which nothing is heard."""
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


@check(connects="database", tags={"channels", "database"})
async def notifications_are_read(project: Project) -> AsyncIterator[Message]:
    """Find a queue of notifications that grows: once it is full nobody can publish."""
    from .watching import notification_queue  # SQLAlchemy's half of a second, for the few who ask

    settings = project.settings
    used = await notification_queue(project) if refusal(settings) is None else None
    if used is not None and used > FULL:
        yield Message(
            id="channels.W010",
            level=Level.WARNING,
            text=f"the queue of PostgreSQL's notifications is {used:.0%} full: somebody listens and"
            " does not read; when it is full nobody can publish",
            hint="end who it is: a process that stands still, or a transaction that goes on, in"
            " pg_stat_activity",
            where=settings.where("DATABASES"),
        )
