"""Processes: how many of them serve on this host, and the sum that the number comes from."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .._utils import counted
from ..conf import Section, Settings
from ..exceptions import CommandError
from .settings import Server

__all__ = [
    "CONCURRENCY_VARIABLE",
    "ProcessPlan",
    "cpu_quota",
    "memory_limit",
    "plan_processes",
    "servers_of",
    "serving_processes",
    "workers_of",
]

CONCURRENCY_VARIABLE: Final = "WEB_CONCURRENCY"
"""Where platforms say how many processes they want."""
serving_processes: Final[ContextVar[int]] = ContextVar("fastforge_serving_processes", default=1)
"""How many processes serve beside each other, with this one: whoever starts several sets it."""
NO_LIMIT_BYTES: Final = 2**60
"""What the first version of control groups says where there is none is larger."""
TIMES_CPUS: Final = {"io": 2, "cpu": 1}
"""An event loop that waits leaves its CPU to another one; one that computes does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessPlan:
    """How many processes serve on this host, and why.

    Args:
        number: How many.
        reason: What the number comes from: `2 for each of 2 CPUs, SERVER.work = "io"`.
    """

    number: int
    reason: str

    @property
    def rule(self) -> tuple[str, str]:
        """Two lines: the number with its reason, and what to change for which kind of work."""
        count = counted(self.number, "process serves", "processes serve")
        advice = (
            'requests that wait for a network or a database: SERVER.work = "io"; requests that'
            ' compute: SERVER.work = "cpu", or offload(); any other number: --workers'
        )
        return f"{count}: {self.reason}", advice


def workers_of(settings: Settings) -> int:
    """Return how many processes serve on this host, by the settings and the environment."""
    return plan_processes(settings).number


def servers_of(settings: Settings) -> int:
    """Return how many processes serve on all hosts together: SERVER.processes, or one host's.

    Raises:
        CommandError: WEB_CONCURRENCY is no number above 0.
    """
    server = settings.section(Server)
    if server.processes is not None:
        return server.processes
    return workers_of(settings) if settings.environment == "production" else server.workers or 1


def plan_processes(
    settings: Settings, *, asked: int | None = None, environ: Mapping[str, str] | None = None
) -> ProcessPlan:
    """Return how many processes serve on this host.

    The first that is there decides: `asked`, SERVER.workers, WEB_CONCURRENCY, and the CPUs that
    this process may use; the last of these no further than the settings of the apps allow.

    Args:
        settings: The project's settings.
        asked: What the command line asks for.
        environ: The environment; the process's own.

    Raises:
        CommandError: WEB_CONCURRENCY is no number above 0.
    """
    server = settings.section(Server)
    if asked is not None:
        return ProcessPlan(number=asked, reason="--workers")
    if server.workers is not None:
        return ProcessPlan(number=server.workers, reason="SERVER.workers")
    text = (os.environ if environ is None else environ).get(CONCURRENCY_VARIABLE, "").strip()
    if text:
        return ProcessPlan(number=_number(text), reason=CONCURRENCY_VARIABLE)
    return _by_processors(settings, server.work)


def cpu_quota(root: Path = Path("/")) -> float:
    """Return how many CPUs this process may use: what a container was given, by either cgroup.

    ```python
    assert cpu_quota() > 0
    ```

    Args:
        root: Where `/proc` and `/sys` are, for tests.
    """
    return min((_allowed(), *_quotas(root)))


def memory_limit(root: Path = Path("/")) -> int | None:
    """Return how many bytes this process and those beside it may use; None for no limit.

    Args:
        root: Where `/proc` and `/sys` are, for tests.
    """
    found: list[int] = []
    for folder, is_unified in _folders(root, "memory"):
        name = "memory.max" if is_unified else "memory.limit_in_bytes"
        text = "".join(_lines(folder / name)).strip()
        if text.isdecimal() and int(text) < NO_LIMIT_BYTES:
            found.append(int(text))
    return min(found, default=None)


def _by_processors(settings: Settings, work: str) -> ProcessPlan:
    quota, times = cpu_quota(), TIMES_CPUS[work]
    wanted = math.ceil(times * quota)
    each = f"{times} for each of" if times > 1 else "as many as"
    reason = f'{each} {quota:g} CPU{"" if quota == 1 else "s"}, SERVER.work = "{work}"'
    most, why = min(_limits(settings), default=(wanted, ""))
    if most >= wanted:
        return ProcessPlan(number=wanted, reason=reason)
    return ProcessPlan(number=most, reason=f"{wanted} would be {reason}; but {why}")


def _limits(settings: Settings) -> Iterator[tuple[int, str]]:
    """Yield what the sections allow; some settings hold several of them by name."""
    for name, value in settings.items():
        sections = value if isinstance(value, dict) else {"": value}
        for key, section in sections.items():
            if isinstance(section, Section) and (
                limit := section.most_processes(settings.environment)
            ):
                where = f'{name}["{key}"]' if key else name
                yield limit[0], f"{where} allows {limit[0]}: {limit[1]}"


def _number(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise CommandError(
        f"{CONCURRENCY_VARIABLE} is {text!r}",
        code="server.E007",
        hint="set it to the number of processes that serve, or unset it",
    )


def _allowed() -> float:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


def _quotas(root: Path) -> Iterator[float]:
    """Yield the quota of each control group that this process is in, and of those above it."""
    for folder, is_unified in _folders(root, "cpu"):
        quota = _quota(folder, is_unified=is_unified)
        if quota is not None:
            yield quota


def _folders(root: Path, controller: str) -> Iterator[tuple[Path, bool]]:
    """Yield each control group's folder, the innermost first, and whether it is of version 2."""
    for mount, path, is_unified in _groups(root, controller):
        folder = mount / path.strip("/")
        while folder.is_relative_to(mount):
            yield folder, is_unified
            folder = folder.parent


def _groups(root: Path, controller: str) -> Iterator[tuple[Path, str, bool]]:
    """Yield where a controller is mounted, our path below that, and which version it is.

    Inside a container the path may be that of the host, of which the mount shows only the end.
    """
    paths = dict(_paths(root))
    for line in _lines(root / "proc/self/mountinfo"):
        before, _, after = line.partition(" - ")
        mounted, where = before.split()[3:5]
        kind, _, options = after.split(" ", 2)
        is_unified = kind == "cgroup2"
        if is_unified or (kind == "cgroup" and controller in options.split(",")):
            path = paths.get("" if is_unified else controller, "/")
            inside = path.removeprefix(mounted if mounted != "/" else "")
            yield root / where.strip("/"), "" if ".." in inside else inside, is_unified


def _paths(root: Path) -> Iterator[tuple[str, str]]:
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            yield controller, path


def _quota(folder: Path, *, is_unified: bool) -> float | None:
    if is_unified:
        words = " ".join(_lines(folder / "cpu.max")).split()
    else:
        names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
        words = [word for name in names for word in _lines(folder / name)]
    with suppress(ValueError):  # "max", or nothing
        quota, period = map(int, words)
        return quota / period if quota > 0 and period > 0 else None
    return None


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:
        return []
