"""LOGGING and WATCHDOG: what nobody will be able to see afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...checks import Level, Message, check
from ...observability.settings import Logging
from ...observability.watchdog.settings import Watchdog
from .budgets import PRODUCTION

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["blocks_are_seen", "levels_are_right", "lines_can_be_read"]


@check(tags={"observability", "settings"}, deploy=True)
def lines_can_be_read(project: Project) -> Iterator[Message]:
    """Tell of lines that no program can read, and of requests without one."""
    logging = project.settings.section(Logging)
    where = project.settings.where("LOGGING")
    if logging.format == "console":
        yield Message(
            id="logging.W001",
            level=Level.WARNING,
            text="LOGGING.format is 'console': no program can read the lines",
            hint="leave it out: it is 'json' in production, and 'console' where you develop",
            where=where,
        )
    if not logging.access_line:
        yield Message(
            id="logging.W002",
            level=Level.WARNING,
            text="LOGGING.access_line is off: no request, job or socket leaves a line, and none can"
            " be found again",
            hint="leave it on, or silence this where a proxy writes one with the X-Request-ID",
            where=where,
        )


@check(tags={"observability", "settings"}, deploy=True)
def levels_are_right(project: Project) -> Iterator[Message]:
    """Tell of too much in the log, and of too little."""
    logging = project.settings.section(Logging)
    where = project.settings.where("LOGGING")
    detailed = [name for name, level in logging.levels.items() if level == "debug"]
    if logging.level == "debug" or detailed:
        yield Message(
            id="logging.W003",
            level=Level.WARNING,
            text="LOGGING writes what is for debugging"
            f" ({', '.join(detailed) or 'level'}): it costs every request, and has the data of"
            " users in it",
            hint="leave it to FASTFORGE_LOG_LEVEL=debug, for the hour in which it is needed",
            where=where,
        )
    if logging.level in ("error", "critical"):
        yield Message(
            id="logging.W004",
            level=Level.WARNING,
            text=f"LOGGING.level is {logging.level!r}: warnings are lost, such as that an event"
            " loop is blocked or a pool exhausted",
            hint="write 'warning' or 'info'; single loggers have LOGGING.levels",
            where=where,
        )


@check(tags={"observability", "settings"}, deploy=True)
def blocks_are_seen(project: Project) -> Iterator[Message]:
    """Tell of a watchdog that sleeps, and of one that bites."""
    watchdog = project.settings.section(Watchdog)
    where = project.settings.where("WATCHDOG")
    if not watchdog.is_enabled_in(PRODUCTION):
        yield Message(
            id="watchdog.W001",
            level=Level.WARNING,
            text="WATCHDOG.enabled is off: what blocks an event loop is seen by nobody, and looks"
            " like a database that is slow",
            hint="leave it out: it costs nothing that can be measured",
            where=where,
        )
    if watchdog.is_strict_in(PRODUCTION):
        yield Message(
            id="watchdog.W002",
            level=Level.WARNING,
            text="WATCHDOG.strict is on: a call that blocks for a moment fails its request in"
            " production",
            hint="leave it out: it is on in development and in tests",
            where=where,
        )
