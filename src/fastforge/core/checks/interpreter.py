"""The interpreter, its packages and its variables, where the checks run as the project will."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...checks import Level, Message, check
from ...exceptions import Location

if TYPE_CHECKING:
    from ...project import Project

__all__ = [
    "debugging_is_off",
    "fast_parts_are_installed",
    "files_are_ours_alone",
    "gunicorn_is_heard",
    "python_is_maintained",
]

ENDS: Final = {
    (3, 11): date(2027, 10, 31),
    (3, 12): date(2028, 10, 31),
    (3, 13): date(2029, 10, 31),
    (3, 14): date(2030, 10, 31),
}
"""Until when a version of Python gets corrections of its security, by its release schedule."""
DEBUGGING: Final = (
    "PYTHONDEVMODE",
    "PYTHONASYNCIODEBUG",
    "PYTHONTRACEMALLOC",
    "PYTHONPROFILEIMPORTTIME",
)
DECIDED: Final = (
    "--bind",
    "-b",
    "--workers",
    "-w",
    "--worker-class",
    "-k",
    "--preload",
    "--max-requests",
)
FAST: Final = ("uvloop", "httptools")
WRITABLE_BY_ALL: Final = 0o002


@check(tags={"server"}, deploy=True)
def debugging_is_off(project: Project) -> Iterator[Message]:
    """Tell of variables that make everything several times slower."""
    variables = project.settings.raw.environment.variables
    on = [name for name in DEBUGGING if variables.get(name, "0") not in ("", "0")]
    if on and project.settings.environment == "production":
        yield Message(
            id="core.W005",
            level=Level.WARNING,
            text=f"{', '.join(on)} is set in production: the event loop took 3.6 times as long with"
            " its own debugging",
            hint="unset it: the watchdog names what blocks, and costs nothing",
        )


@check(tags={"security"}, deploy=True)
def python_is_maintained(project: Project) -> Iterator[Message]:
    """Tell of a Python for which no hole is mended any more."""
    version = sys.version_info[:2]
    ends = ENDS.get(version)
    if ends is not None and datetime.now(UTC).date() > ends:
        yield Message(
            id="core.W006",
            level=Level.WARNING,
            text=f"Python {version[0]}.{version[1]} has had no corrections since {ends}",
            hint="run a newer one",
        )


@check(tags={"security", "settings"}, deploy=True)
def files_are_ours_alone(project: Project) -> Iterator[Message]:
    """Tell of settings that every user of the machine can change."""
    for file in project.settings.raw.source.files:
        if sys.platform != "win32" and Path(file).stat().st_mode & WRITABLE_BY_ALL:
            yield Message(
                id="core.W007",
                level=Level.WARNING,
                text="every user of the machine can change the settings, and so what runs",
                hint=f"chmod o-w {Path(file).name}",
                where=Location(file, 1),
            )


@check(tags={"server"}, deploy=True)
def fast_parts_are_installed(project: Project) -> Iterator[Message]:
    """Tell of a server that falls back to what is slow, and to the parser that takes anything."""
    missing = [name for name in FAST if sys.platform != "win32" and find_spec(name) is None]
    if missing:
        yield Message(
            id="server.W022",
            level=Level.WARNING,
            text=f"{' and '.join(missing)} is not installed: a request takes 1.65 times the CPU,"
            " and h11 lets through what httptools refuses",
            hint="pip install 'uvicorn[standard]'",
        )


@check(tags={"server"}, deploy=True)
def gunicorn_is_heard(project: Project) -> Iterator[Message]:
    """Tell of options that somebody has set, and that decide nothing."""
    variables = project.settings.raw.environment.variables
    words = [word.partition("=")[0] for word in variables.get("GUNICORN_CMD_ARGS", "").split()]
    ignored = sorted({word for word in words if word in DECIDED})
    if ignored:
        yield Message(
            id="server.W023",
            level=Level.WARNING,
            text=f"GUNICORN_CMD_ARGS has {', '.join(ignored)}: that is decided without it",
            hint="write SERVER.workers, SERVER.max_requests, or the address behind runserver",
        )
