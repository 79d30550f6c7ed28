"""Clocks: how much processor time a thread was given, and how long it waited for some."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["Look", "ThreadClock", "Throttling"]

_RUNNABLE: Final = b"R"
_SHORT: Final = 512


@dataclass(frozen=True, slots=True)
class Look:
    """What the clocks say at a moment, in seconds.

    Args:
        at: The time, by `time.monotonic`.
        thread_s: The processor time of the watched thread.
        process_s: The processor time of the whole process.
        delayed_s: How long the watched thread has been ready and had no processor, ever; None
            where the system does not say.
        is_ready: Whether it is at this moment ready, or running.
    """

    at: float
    thread_s: float
    process_s: float
    delayed_s: float | None
    is_ready: bool


class ThreadClock:
    """Looks at the thread that makes it, from any thread, also after it has ended.

    Linux says in `/proc` how long a thread waited for a processor, if its kernel counts that, and
    whether it waits now; elsewhere neither is known.
    """

    def __init__(self) -> None:
        self._clock = _clock_of_this_thread()
        task = Path("/proc/self/task") / str(threading.get_native_id())
        self._delays = _opened(task / "schedstat")
        self._state = _opened(task / "stat")

    def look(self) -> Look:
        """Return what the clocks say now. It never raises."""
        thread_s = 0.0
        with suppress(OSError, AttributeError):
            thread_s = time.clock_gettime(self._clock) if self._clock is not None else 0.0
        return Look(
            time.monotonic(), thread_s, time.process_time(), self._delayed_s(), self._is_ready()
        )

    def close(self) -> None:
        """Close what is read."""
        for descriptor in (self._delays, self._state):
            if descriptor is not None:
                os.close(descriptor)
        self._delays = self._state = None

    def _delayed_s(self) -> float | None:
        words = _read(self._delays).split()
        with suppress(ValueError, IndexError):
            return int(words[1]) / 1e9
        return None

    def _is_ready(self) -> bool:
        # `7 (a name with ) in it) S 1 ...`
        return _read(self._state).rpartition(b") ")[2][:1] == _RUNNABLE


class Throttling:
    """How long a control group has kept this process from its processors.

    Args:
        root: Where `/sys` is, for tests.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        groups = root / "sys/fs/cgroup"
        files = (groups / name / "cpu.stat" for name in ("", "cpu", "cpu,cpuacct"))
        self._file = next((file for file in files if b"nr_throttled" in _content(file)), None)

    def total_s(self) -> float:
        """Return for how long ever, in seconds; 0 where that is not known."""
        counts = dict(
            line.split(b" ", 1) for line in _content(self._file).splitlines() if b" " in line
        )
        with suppress(ValueError):
            if b"throttled_usec" in counts:
                return int(counts[b"throttled_usec"]) / 1e6
            return int(counts.get(b"throttled_time", b"0")) / 1e9
        return 0.0


def _clock_of_this_thread() -> int | None:
    try:
        return time.pthread_getcpuclockid(threading.get_ident())
    except (AttributeError, OSError):  # macOS and Windows
        return None


def _opened(file: Path) -> int | None:
    try:
        return os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, AttributeError):
        return None


def _read(descriptor: int | None) -> bytes:
    try:
        return b"" if descriptor is None else os.pread(descriptor, _SHORT, 0)
    except OSError:  # the thread has ended
        return b""


def _content(file: Path | None) -> bytes:
    try:
        return b"" if file is None else file.read_bytes()
    except OSError:
        return b""
