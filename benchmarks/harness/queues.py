"""Queues under measurement: producers and workers are processes, what they do is in one file."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.processes import Process, start

__all__ = ["Marks", "Peer", "Run"]

DEADLINE_S: Final = 300
POLL_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A queue as its users run it.

    Attributes:
        worker: The command of one worker process.
        producer: The command that sends jobs; FIRST COUNT GAP_MS is added.
        folder: Where both run.
        env: What they need besides this process's environment.
        empty: Removes all jobs of earlier runs.
    """

    name: str
    worker: tuple[str, ...]
    producer: tuple[str, ...]
    folder: Path
    empty: Callable[[], None]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Marks:
    """When each job was sent and began, in seconds of one clock; a list, as it may begin twice."""

    sent: Mapping[int, list[float]]
    started: Mapping[int, list[float]]

    @property
    def starts(self) -> int:
        """How many jobs began, those that began twice counted twice."""
        return sum(map(len, self.started.values()))

    def span_s(self) -> float:
        """Return the time from the first beginning to the last one."""
        times = [moment for moments in self.started.values() for moment in moments]
        return max(times) - min(times)

    def latencies_s(self) -> list[float]:
        """Return how long each job took from being sent to its beginning, sorted."""
        return sorted(
            self.started[number][0] - moments[0]
            for number, moments in self.sent.items()
            if number in self.started
        )


class Run:
    """One run of one peer: an empty queue, and a file for its marks."""

    def __init__(self, peer: Peer, file: Path, stack: ExitStack, slots: int) -> None:
        self._peer = peer
        self._file = file
        self._stack = stack
        own = {"BENCH_MARKS": str(file), "BENCH_SLOTS": str(slots)}
        self._env = {**os.environ, **peer.env, **own}

    @classmethod
    @contextmanager
    def of(cls, peer: Peer, *, slots: int = 100) -> Iterator[Run]:
        """Begin a run; its workers end with it."""
        peer.empty()
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            yield cls(peer, Path(folder) / "marks", stack, slots)

    def work(self) -> Process:
        """Start one more worker."""
        worker = start(self._peer.worker, cwd=self._peer.folder, env=self._env)
        return self._stack.enter_context(worker)

    def produce(self, first: int, count: int, gap_ms: float = 0) -> float:
        """Send jobs, and return the seconds from the first to the end of the last."""
        self._send("produce", first, count, gap_ms)
        sent = [float(at) for kind, _, at in self._lines() if kind in ("Q", "E")]
        return (sent[-1] - sent[-count - 1]) / 1e9

    def fill(self, first: int, count: int, delay_s: float = 0) -> None:
        """Send jobs in thousands, all due at one time: so long after the first was sent."""
        self._send("fill", first, count, delay_s)

    def _send(self, how: str, first: int, count: int, value: float) -> None:
        done = subprocess.run(
            [*self._peer.producer, how, str(first), str(count), str(value)],
            cwd=self._peer.folder,
            env=self._env,
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{self._peer.name} cannot send: {done.stderr[-2000:]}")

    def wait_for(self, count: int, worker: Process) -> Marks:
        """Return the marks once that many jobs have begun.

        Raises:
            RuntimeError: They have not within five minutes, or the worker has ended.
        """
        deadline = time.monotonic() + DEADLINE_S
        while len((marks := self.marks()).started) < count:
            if time.monotonic() > deadline or worker.popen.poll() is not None:
                raise RuntimeError(
                    f"{self._peer.name}: {len(marks.started)} of {count} began\n{worker.output}"
                )
            time.sleep(POLL_S)
        return marks

    def marks(self) -> Marks:
        """Return what is marked by now."""
        found: dict[str, dict[int, list[float]]] = {"Q": {}, "S": {}, "E": {}}
        for kind, number, at in self._lines():
            found[kind].setdefault(int(number), []).append(float(at) / 1e9)
        return Marks(found["Q"], found["S"])

    def _lines(self) -> Iterator[tuple[str, str, str]]:
        with contextlib.suppress(FileNotFoundError), self._file.open(encoding="ascii") as file:
            for line in file:
                kind, number, at = line.split()
                yield kind, number, at
