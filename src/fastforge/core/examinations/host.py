"""What the host gives the processes of the project: CPUs, memory, files, disks, randomness."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..._utils import counted
from ...checks import Diagnosis, Patient, examination
from ...conf import Section, Settings
from ...exceptions import CommandError
from ..processes import cpu_quota, memory_limit, plan_processes
from ..settings import Server

__all__ = ["free_space", "host"]

MIB: Final = 2**20
GIB: Final = 2**30
PROCESS_BYTES: Final = 100 * MIB
"""What a process of a small project takes, or more."""
PORT: Final = 8000
"""What `manage runserver` takes unless told otherwise."""
PORT_TIMEOUT_S: Final = 0.5
LEAST_FREE_BYTES: Final = 200 * MIB
OWN_FILES: Final = 50
"""What a process has open besides connections: modules, pipes, the log."""
USUAL_CLIENTS: Final = 500
"""How many clients a process should be able to have, where no limit is written."""


@examination
def host(patient: Patient) -> Iterator[Diagnosis]:
    """Look at limits against what the processes will want, at disks, time zones and randomness."""
    settings = patient.project.settings
    try:
        processes = plan_processes(settings).number
    except CommandError as error:
        processes = 1
        yield Diagnosis(what="processes", text=error.message, verdict="fail", hint=error.hint)
    yield _processors(processes)
    yield _memory(processes)
    yield from _files(settings)
    yield free_space(Path(tempfile.gettempdir()), "temporary files")
    yield _folder(settings.root)
    yield _time_zone(settings["TIME_ZONE"])
    yield _port()
    yield from _randomness()


def _processors(processes: int) -> Diagnosis:
    quota = cpu_quota()
    is_crowded = processes > 4 * max(quota, 1)
    return Diagnosis(
        what="CPUs",
        text=f"{quota:g} for {counted(processes, 'server process', 'server processes')}",
        verdict="warn" if is_crowded else "ok",
        hint="run fewer processes (SERVER.workers), or give the container more CPUs",
    )


def _memory(processes: int) -> Diagnosis:
    limit = memory_limit() or _physical_bytes()
    if limit is None:
        return Diagnosis(what="memory", text="nobody tells how much there is")
    wanted = processes * PROCESS_BYTES
    return Diagnosis(
        what="memory",
        text=f"{_size(limit)}; {_size(wanted)} or more for"
        f" {counted(processes, 'server process', 'server processes')}",
        verdict="warn" if wanted > limit else "ok",
        hint="run fewer processes, or raise the limit: whoever exceeds it is killed",
    )


def _physical_bytes() -> int | None:
    with suppress(ValueError, OSError, AttributeError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return None


def _files(settings: Settings) -> Iterator[Diagnosis]:
    try:
        import resource  # not on Windows
    except ImportError:
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        yield Diagnosis(what="open files", text="no limit")
        return
    pools = connections_of(settings)
    left = limit - pools - OWN_FILES
    clients = settings.section(Server).concurrency_limit or USUAL_CLIENTS
    yield Diagnosis(
        what="open files",
        text=f"{limit:,} for a process: {pools} for connections to others, {max(left, 0):,} left"
        " for clients",
        verdict="fail" if left <= 0 else "warn" if left < clients else "ok",
        hint=f"raise the limit to {max(pools + OWN_FILES + 2 * clients, 4096)}: ulimit -n,"
        " LimitNOFILE of systemd, ulimits of compose",
    )


def connections_of(settings: Settings) -> int:
    """Return how many connections to others one process holds at most."""
    found = 0
    for value in dict(settings.items()).values():
        sections = value.values() if isinstance(value, dict) else [value]
        found += sum(
            each.most_connections(settings.environment)
            for each in sections
            if isinstance(each, Section)
        )
    return found


def free_space(folder: Path, what: str, *, of: str = "") -> Diagnosis:
    """Return how much room a folder has, and whether something can be written into it.

    Args:
        folder: The folder.
        what: What is kept there.
        of: Whose row it is.
    """
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        text = f"{folder}: {error.strerror}"
        return Diagnosis(what=what, text=text, verdict="fail", hint="make the folder", of=of)
    if not os.access(folder, os.W_OK):
        text = f"{folder} cannot be written by this user"
        return Diagnosis(what=what, text=text, verdict="fail", hint="change its owner", of=of)
    is_low = free < LEAST_FREE_BYTES
    hint = "make room: what cannot be written is an error for whoever asked"
    text = f"{_size(free)} free in {folder}"
    return Diagnosis(what=what, text=text, verdict="warn" if is_low else "ok", hint=hint, of=of)


def _folder(root: Path) -> Diagnosis:
    can = "can" if os.access(root, os.W_OK) else "cannot"
    return Diagnosis(what="project", text=f"{root}, which this user {can} write")


def _port() -> Diagnosis:
    with socket.socket() as asking:
        asking.settimeout(PORT_TIMEOUT_S)
        is_taken = asking.connect_ex(("127.0.0.1", PORT)) == 0
    text = "something listens, perhaps this project" if is_taken else "free"
    return Diagnosis(what=f"port {PORT}", text=text)


def _time_zone(name: str) -> Diagnosis:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo("Europe/Berlin" if name == "UTC" else name)
    except (ZoneInfoNotFoundError, ValueError):
        return Diagnosis(
            what="time zones",
            text="this host has no data of time zones: schedules with a zone do not load",
            verdict="warn",
            hint="pip install tzdata, or install the system's package",
        )
    return Diagnosis(what="time zones", text=f"there, TIME_ZONE is {name}")


def _randomness() -> Iterator[Diagnosis]:
    """Tell of what can make a start hang or a child misbehave; most often there is nothing."""
    if hasattr(os, "getrandom"):
        try:
            os.getrandom(16, os.GRND_NONBLOCK)
        except BlockingIOError:
            yield Diagnosis(
                what="randomness",
                text="the system has not gathered enough yet: whoever asks for a key waits",
                verdict="warn",
                hint="wait, or give the machine a source: virtio-rng, haveged",
            )
    if sys.platform == "darwin" and not os.environ.get("OBJC_DISABLE_INITIALIZE_FORK_SAFETY"):
        yield Diagnosis(
            what="fork",
            text="libraries of the system may end a process that is forked: use one here",
        )


def _size(count: float) -> str:
    return f"{count / GIB:.1f} GiB" if count >= GIB else f"{count / MIB:.0f} MiB"
