"""Watching: what the table of jobs says in a run of checks, of a project that is not started."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...exceptions import ForgeError
from ...tasks.records import QueueStats, WorkerBeat
from ...tasks.settings import Tasks
from ..db.inspection.inspecting import ALONE, inspect_databases
from ..db.resources import open_of
from .store import JobStore

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["Seen", "look_at_jobs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What there is: the queues, and the workers that have been heard of lately."""

    queues: Sequence[QueueStats]
    workers: Sequence[WorkerBeat]


async def look_at_jobs(project: Project) -> Seen | None:
    """Return what the table says; None when the database does not answer or has no such table."""
    inspected = {each.name: each for each in await inspect_databases(project)}["default"]
    if inspected.failure or (inspected.path is not None and not inspected.path.exists()):
        return None
    config = inspected.config.model_copy(update=ALONE)
    try:
        opened = await open_of(project.settings, config)
    except ForgeError:
        return None
    try:
        desk = JobStore(opened.engine, settings=project.settings.section(Tasks)).desk
        return Seen(queues=await desk.stats(), workers=await desk.workers())
    except ForgeError:
        return None
    finally:
        await opened.engine.dispose()
