"""Report: what one proof has shown, as values, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

from .lives import Life
from .scenario import Disturbance
from .tally import Failure, Tally

__all__ = ["Report", "Requests", "Stop"]

GOOD_CODES: Final = frozenset({"1000", "1001", "1012", "1013"})
"""How a server may close a web socket that has done nothing wrong."""
OWN_CODES: Final = range(3000, 5000)
"""Those that applications choose."""
HARMLESS: Final = ("refused", "lost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """How the requests of all clients ended.

    Args:
        answered: How many were answered well, by the kind of client.
        failed: How many failed how, by the kind of client.
        lost: How many were lost with a process that was killed.
        stale: How many kept connections were found closed before a request was sent on them.
        examples: The first failures.
    """

    answered: Mapping[str, int]
    failed: Mapping[str, Mapping[str, int]]
    lost: int = 0
    stale: int = 0
    examples: tuple[Failure, ...] = ()

    @classmethod
    def of(cls, tally: Tally) -> Self:
        """Return what the clients have counted."""
        failed: dict[str, dict[str, int]] = {}
        for (client, outcome), count in tally.failed.items():
            failed.setdefault(client, {})[outcome.value] = count
        return cls(
            answered=dict(tally.answered),
            failed=failed,
            lost=tally.lost,
            stale=tally.stale,
            examples=tuple(tally.examples),
        )

    @property
    def ok(self) -> int:
        """How many were answered well."""
        return sum(self.answered.values())

    @property
    def failures(self) -> Mapping[str, int]:
        """How many failed how."""
        total: dict[str, int] = {}
        for kinds in self.failed.values():
            for outcome, count in kinds.items():
                total[outcome] = total.get(outcome, 0) + count
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One end of the server.

    Args:
        at_s: When it was told to stop, in seconds from its start.
        took_s: How long it took.
        limit_s: How long it may take.
        exit_code: How it ended; None: it had to be killed.
    """

    at_s: float
    took_s: float
    limit_s: float
    exit_code: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one proof has shown.

    Args:
        disturbance: What was done.
        paths: What was asked for.
        sockets_at: Which web sockets were held.
        left_out: What was not asked for, and why.
        start_s: How long the server took until it was ready, in seconds.
        requests: How the requests ended.
        sockets: How web sockets ended, with how often.
        lives: What each process opened and closed.
        killed: The processes that were killed on purpose.
        replaced_s: How long each round took until as many processes served as before, in seconds.
        stops: The ends of the server.
        tracebacks: How many of them stand in its log.
        log: Its log, where it was kept.
        notes: What else went wrong.
    """

    disturbance: Disturbance
    paths: tuple[str, ...] = ()
    sockets_at: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    start_s: float = 0
    requests: Requests
    sockets: Mapping[str, int] = field(default_factory=dict)
    lives: tuple[Life, ...]
    killed: frozenset[int] = frozenset()
    replaced_s: tuple[float, ...] = ()
    stops: tuple[Stop, ...] = ()
    tracebacks: int = 0
    log: str = ""
    notes: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong; nothing for a clean proof."""
        return (*self.notes, *self._of_requests(), *self._of_processes(), *self._of_stops())

    @property
    def is_clean(self) -> bool:
        """Whether nothing went wrong."""
        return not self.problems

    def as_dict(self) -> dict[str, Any]:
        """Return it as values of JSON."""
        values = asdict(self) | {"clean": self.is_clean, "problems": self.problems}
        values["killed"] = sorted(self.killed)
        values["requests"] |= {"ok": self.requests.ok, "failures": self.requests.failures}
        for life, line in zip(self.lives, values["lives"], strict=True):
            line["closed_in_reverse"] = life.closed_in_reverse
        return values

    def _of_requests(self) -> Iterator[str]:
        failures = self.requests.failures
        if failures:
            kinds = ", ".join(f"{count} {outcome}" for outcome, count in sorted(failures.items()))
            yield f"requests failed: {kinds}"
        if self.paths and not self.requests.ok:
            yield "no request was answered"
        for code, count in sorted(self.sockets.items()):
            if not _is_good_end(code):
                yield f"web sockets ended badly: {count} {code}"

    def _of_processes(self) -> Iterator[str]:
        for life in self.lives:
            if life.pid in self.killed or life.closed_in_reverse:
                continue
            opened = ", ".join(life.opened) or "nothing"
            closed = ", ".join(life.closed) or "nothing"
            end = "" if life.ended else ", and did not come to its end"
            yield f"process {life.pid} opened {opened}, closed {closed}{end}"

    def _of_stops(self) -> Iterator[str]:
        for stop in self.stops:
            if stop.exit_code is None:
                yield f"it had not ended {stop.limit_s:g} s after SIGTERM, and was killed"
            elif stop.exit_code not in self._good_exit_codes:
                yield f"its exit code was {stop.exit_code}"
            elif stop.took_s > stop.limit_s:
                yield f"it took {stop.took_s:g} s to end; it may take {stop.limit_s:g}"
        if self.tracebacks:
            yield f"tracebacks in its log: {self.tracebacks}"

    @property
    def _good_exit_codes(self) -> tuple[int, ...]:
        # Before Python has come to our code SIGTERM ends the process, which has opened nothing yet.
        return (0, -15) if self.disturbance is Disturbance.START else (0,)


def _is_good_end(code: str) -> bool:
    if code.startswith(HARMLESS) or code in GOOD_CODES:
        return True
    return code.isdigit() and int(code) in OWN_CODES
