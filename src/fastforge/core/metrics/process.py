"""What is known of the process itself, as its operating system tells it."""

from __future__ import annotations

import os
import platform
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from ... import __version__
from ...lifecycle import Container
from ...observability.events import (
    BUILD_INFO,
    LINES_DROPPED,
    PROCESS_CPU,
    PROCESS_FILES,
    PROCESS_MEMORY,
    PROCESS_START,
    PROCESS_THREADS,
    PROCESSES,
    READY,
)
from ...observability.logging.output import process_lines
from ...observability.metrics.source import Sample, metric_source

__all__ = ["this_process"]

_STAT, _STATM, _UPTIME = "/proc/self/stat", "/proc/self/statm", "/proc/uptime"
_FILES: Final = "/proc/self/fd"
_START_FIELD: Final = 19
"""Where the time of the start stands in what follows the name of the program."""
_RESIDENT_FIELD: Final = 1
_loaded_at: Final = time.time()


@metric_source
def this_process(container: Container) -> Iterator[Sample]:
    """Tell the CPU, the memory and the state of this process; what is not known is left out."""
    yield Sample(metric=PROCESSES, labels=(container.role,), value=1)
    is_leaving = container.draining or container.stopping.is_set()
    yield Sample(metric=READY, value=0 if is_leaving else 1)
    yield Sample(metric=BUILD_INFO, labels=_build(container), value=1)
    times = os.times()
    yield Sample(metric=PROCESS_CPU, labels=("user",), value=times.user)
    yield Sample(metric=PROCESS_CPU, labels=("system",), value=times.system)
    yield Sample(metric=PROCESS_THREADS, value=threading.active_count())
    yield Sample(metric=PROCESS_START, value=_started_at())
    yield Sample(metric=LINES_DROPPED, value=process_lines().dropped)
    with suppress(OSError):
        yield Sample(metric=PROCESS_MEMORY, value=_memory_bytes())
    with suppress(OSError):
        yield Sample(metric=PROCESS_FILES, value=len(os.listdir(_FILES)) - 1)


def _build(container: Container) -> tuple[str, ...]:
    settings = container.settings
    project = settings.module.partition(".")[0]
    return project, settings.environment, __version__, platform.python_version()


def _memory_bytes() -> int:
    with open(_STATM, encoding="ascii") as file:
        return int(file.read().split()[_RESIDENT_FIELD]) * os.sysconf("SC_PAGE_SIZE")


def _started_at() -> float:
    """Return when the process began; where that is not told, when this module was loaded."""
    if sys.platform != "linux":
        return _loaded_at
    try:
        with open(_STAT, encoding="utf-8", errors="replace") as file:
            ticks = int(file.read().rpartition(")")[2].split()[_START_FIELD])
        with open(_UPTIME, encoding="ascii") as file:
            uptime_s = float(file.read().split()[0])
    except (OSError, ValueError, IndexError):
        return _loaded_at
    return time.time() - uptime_s + ticks / os.sysconf("SC_CLK_TCK")
