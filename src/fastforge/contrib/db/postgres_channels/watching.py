"""Watching: what PostgreSQL says of notifications in a run of checks, of a project not started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from ....exceptions import ForgeError
from ..inspection.inspecting import ALONE, inspect_databases
from ..opening import DEFAULT, open_of

if TYPE_CHECKING:
    from ....project import Project

__all__ = ["notification_queue"]

USED = sa.text("SELECT pg_notification_queue_usage()")


async def notification_queue(project: Project) -> float | None:
    """Return how full the queue is, from 0 to 1; None when the database does not answer."""
    inspected = {each.name: each for each in await inspect_databases(project)}[DEFAULT]
    if inspected.failure:
        return None
    config = inspected.config.direct.model_copy(update=ALONE)
    try:
        opened = await open_of(project.settings, config)
    except ForgeError:
        return None
    try:
        async with opened.engine.begin() as connection:
            return float((await connection.execute(USED)).scalar_one())
    except ForgeError:
        return None
    finally:
        await opened.engine.dispose()
