"""Office: where the commands meet the jobs of a project, whichever backend keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from ...commands import Context
from ...components import Registry
from ...exceptions import StartError
from ...tasks.backend import BackendAway, BackendUnready, backend_of
from ...tasks.clock import Clock
from ...tasks.desk import JobDesk
from ...tasks.settings import Tasks

__all__ = ["Office", "note", "open_office"]

MEMORY = "memory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The jobs of a project, and what is known around them.

    Args:
        desk: Tells of jobs, and does what it is told with them.
        clock: What time it is for the jobs.
        zone: The project's time zone: times are shown in it, and read in it.
        registry: What the project declares: its tasks.
    """

    desk: JobDesk
    clock: Clock
    zone: ZoneInfo
    registry: Registry

    def now(self) -> datetime:
        """Return the time in the project's zone."""
        return self.clock.now().astimezone(self.zone)


@contextmanager
def open_office(context: Context) -> Iterator[Office]:
    """Give the office of the project that runs; tell what the backend cannot do now as one line.

    Raises:
        StartError: The backend is away, or has no tables yet.
        TaskError: No installed app declares the backend that TASKS.backend names.
    """
    container = context.container
    settings = container.settings
    backend = backend_of(container)
    if settings.section(Tasks).backend == MEMORY:
        note("TASKS.backend is 'memory': other processes keep their jobs to themselves")
    zone = str(settings["TIME_ZONE"]) if "TIME_ZONE" in settings else "UTC"
    try:
        yield Office(
            desk=backend.desk,
            clock=backend.clock,
            zone=ZoneInfo(zone),
            registry=container.registry,
        )
    except BackendUnready as error:
        raise StartError(error.message, code=error.code, hint=error.hint) from error
    except BackendAway as error:
        raise StartError(
            f"the jobs are out of reach: {error.message}",
            code="tasks.E084",
            hint="see that what keeps them runs, and can be reached from here",
        ) from error


def note(text: str) -> None:
    """Tell a person something that is no part of the answer."""
    click.echo(f"note: {text}", err=True)
