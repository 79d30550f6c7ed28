"""Block: a time in which an event loop did not go on, and what was seen of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import StrEnum
from types import CodeType
from typing import Any, Final

from .clocks import Look
from .frames import Place, Stack

__all__ = ["Block", "Cause"]

MOST_PLACES: Final = 64
"""How many lines of one block are told apart."""
TOLD_LINES: Final = 3
OVERSLEPT_S: Final = 0.05
"""How late the watching thread itself has to be until the process is taken for one that stood."""


class Cause(StrEnum):
    """What held up an event loop."""

    CODE = "code"
    """Code that runs on it."""
    COLLECTOR = "garbage_collection"
    """The garbage collector."""
    MACHINE = "machine"
    """The machine had no processor to spare for it."""
    THROTTLED = "throttled"
    """Its control group had used up its processor time."""
    THREADS = "threads"
    """Other threads of the process held the interpreter."""
    NOBODY = "nobody"
    """Nobody in particular: the process was stopped, the machine slept, or much was done in small
    parts."""


@dataclass(slots=True)
class _Seen:
    """A place that was seen, how often, in which tasks, and the first stack that led there."""

    stack: Stack
    times: int = 0
    tasks: Counter[Hashable] = field(default_factory=Counter)


@dataclass(slots=True, kw_only=True)
class Block:
    """What was seen of one block.

    Args:
        began: The last time that the loop went on before it, by `time.monotonic`.
        before: What the clocks said then, or shortly before.
        collected_s: How long the collector had run by then, ever.
        throttled_s: How long the control group had been throttled by then, ever.
    """

    began: float
    before: Look
    collected_s: float
    throttled_s: float
    samples: int = 0
    starved_s: float = 0
    stood_s: float = 0
    other_threads_s: float = 0
    who: dict[Hashable, dict[str, Any]] = field(default_factory=dict)
    """For whom each task works that was seen: a block may begin in one and last in another."""
    _places: dict[Place, _Seen] = field(default_factory=dict)
    _tasks: Counter[Hashable] = field(default_factory=Counter)
    is_debugged: bool = False

    def add(self, stack: Stack, task: Hashable) -> None:
        """Note where the thread was seen, and for whom."""
        self.samples += 1
        self.is_debugged = self.is_debugged or stack.is_debugged
        guilty = stack.guilty
        if guilty is None:
            return
        self._tasks[task] += 1
        if guilty in self._places or len(self._places) < MOST_PLACES:
            seen = self._places.setdefault(guilty, _Seen(stack))
            seen.times += 1
            seen.tasks[task] += 1

    def pass_time(self, look: Look, *, wanted_s: float) -> None:
        """Account for the time since the last look.

        Args:
            look: What the clocks say now.
            wanted_s: How long the watching thread meant to wait.
        """
        before, self.before = self.before, look
        passed_s = look.at - before.at
        worked_s = look.thread_s - before.thread_s
        waited_s = 0.0
        if look.delayed_s is not None and before.delayed_s is not None:
            waited_s = look.delayed_s - before.delayed_s
        elif look.is_ready:
            waited_s = passed_s - worked_s
        self.starved_s += min(passed_s, max(0.0, waited_s))
        overslept_s = passed_s - wanted_s
        if overslept_s > OVERSLEPT_S:
            # This thread did not run either. If the other one did, it held the interpreter.
            idle_s = max(0.0, overslept_s - worked_s - max(0.0, waited_s))
            others_s = max(0.0, look.process_s - before.process_s - worked_s)
            self.other_threads_s += min(idle_s, others_s)
            self.stood_s += idle_s - min(idle_s, others_s)

    def cause(self, duration_s: float, look: Look, **now: float) -> Cause:
        """Return what has held up the loop.

        Args:
            duration_s: For how long, until now or its end.
            look: What the clocks say now.
            now: `collected_s` and `throttled_s` until now, and the threshold.
        """
        threshold_s = now["threshold_s"]
        collected_s = self.collected_until(now["collected_s"])
        lost_s = self.starved_s + self.stood_s + self.other_threads_s + collected_s
        if collected_s > duration_s / 2:
            return Cause.COLLECTOR
        told_apart = sum(self._tasks.values())
        share = self._tasks.most_common(1)[0][1] / self.samples if told_apart else 0.0
        if (duration_s - lost_s) * share >= threshold_s:
            return Cause.CODE
        if duration_s - lost_s >= threshold_s:
            return Cause.NOBODY if share else Cause.THREADS
        causes = {
            Cause.MACHINE: self.starved_s,
            Cause.THREADS: self.other_threads_s,
            Cause.NOBODY: self.stood_s,
        }
        cause = max(causes, key=lambda each: causes[each])
        is_throttled = now["throttled_s"] - self.throttled_s > duration_s / 2
        return Cause.THROTTLED if is_throttled else cause

    def collected_until(self, total_s: float) -> float:
        """Return how long the collector has run since it began, in seconds."""
        return total_s - self.collected_s

    @property
    def guilty(self) -> Place | None:
        """The line that was seen most often, of the function that was."""
        if not self._places:
            return None
        functions: Counter[CodeType] = Counter()
        for place, seen in self._places.items():
            functions[place.code] += seen.times
        code = functions.most_common(1)[0][0]
        lines = {place: seen for place, seen in self._places.items() if place.code is code}
        return max(lines, key=lambda each: lines[each].times)

    def told(self) -> dict[str, Any]:
        """Return the fields that say where and for whom."""
        guilty = self.guilty
        fields: dict[str, Any] = {"samples": self.samples}
        if guilty is not None:
            seen = self._places[guilty]
            by_times = sorted(self._places.items(), key=lambda each: -each[1].times)
            fields = {
                "file": guilty.file,
                "line": guilty.line,
                "function": guilty.function,
                "innermost": str(seen.stack.innermost),
                **fields,
                "lines": [
                    f"{place} {each.times / self.samples:.0%}"
                    for place, each in by_times[:TOLD_LINES]
                ],
                "stack": seen.stack.shown(),
            }
        return {**self._guilty_task(guilty), **fields}

    def _guilty_task(self, guilty: Place | None) -> dict[str, Any]:
        """Return for whom the guilty line ran; without one, for whom anything did."""
        if guilty is None:
            return next(filter(None, self.who.values()), {})
        return self.who.get(self._places[guilty].tasks.most_common(1)[0][0], {})
