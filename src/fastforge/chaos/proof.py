"""Proof: one scenario from the start of a server to its end, and what was seen of it."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from .load import Load
from .outcome import Outcome
from .probing import Choice
from .program import TICK_S, Program
from .report import Report, Requests, Stop
from .scenario import Disturbance, Scenario
from .subject import Subject, ready
from .tally import Tally

__all__ = ["prove_start", "prove_under_load"]

TRACEBACK: Final = "Traceback (most recent call last)"
REPLACED_WITHIN_S: Final = 4.0
"""How soon another process has to serve in place of one that was killed."""
SETTLES_WITHIN_S: Final = 60.0
START_ENDS_WITHIN_S: Final = 3.0
"""1 second, and what a busy machine adds to it."""
MOMENTS: Final = (0.05, 0.2, 0.4, 0.6, 0.8, 0.95, None)
"""When a start is interrupted, as parts of how long it takes; None: when something is open."""


async def prove_under_load(
    scenario: Scenario, subject: Subject, choice: Choice, folder: Path
) -> Report:
    """Disturb a server that is asked by many clients.

    Args:
        scenario: What happens.
        subject: To whom.
        choice: What the clients ask for.
        folder: Where the files of the server are written; it is made.

    Raises:
        StartError: The server does not start.
    """
    with subject.start(folder) as program:
        return await _Proof(scenario, subject, choice, program).run()


async def prove_start(scenario: Scenario, subject: Subject, folder: Path) -> Report:
    """Tell a server to stop at several moments of its start.

    Args:
        scenario: What it is called.
        subject: The server.
        folder: Below which the files of each server are written.

    Raises:
        StartError: The server does not start when it is left alone.
    """
    with subject.start(folder / "whole") as program:
        whole_s = await ready(subject, program)
        program.send(signal.SIGTERM)
        await program.ended(subject.stop_limit_s)
    programs: list[Program] = []
    stops: list[Stop] = []
    for moment in MOMENTS:
        with subject.start(folder / f"{moment or 'open'}") as program:
            programs.append(program)
            await (asyncio.sleep(moment * whole_s) if moment else _something_open(program))
            stops.append(await _end_of_start(program, subject))
    return Report(
        disturbance=scenario.disturbance,
        start_s=round(whole_s, 2),
        requests=Requests.of(Tally()),
        lives=tuple(life for each in programs for life in each.lives),
        stops=tuple(stops),
        tracebacks=sum(each.output.count(TRACEBACK) for each in programs),
        log=str(folder),
    )


class _Proof:
    """One server under load, from its start to its end."""

    def __init__(
        self, scenario: Scenario, subject: Subject, choice: Choice, program: Program
    ) -> None:
        self.scenario = scenario
        self.subject = subject
        self.choice = choice
        self.program = program
        self.tally = Tally()
        self.notes: list[str] = []
        self.killed: set[int] = set()
        self.replaced_s: list[float] = []

    async def run(self) -> Report:
        start_s = await ready(self.subject, self.program)
        load = Load(self.scenario, self.choice, self.subject.target, self.tally)
        try:
            await asyncio.sleep(self.scenario.warm_s)
            for _ in range(self._rounds):
                await self._disturb()
                await asyncio.sleep(self.scenario.pause_s)
            stop = await self._stop(load)
        finally:
            await load.finish()
        return self._report(start_s, stop)

    @property
    def _rounds(self) -> int:
        return self.scenario.rounds if self.scenario.disturbance.needs_manager else 0

    async def _disturb(self) -> None:
        before = self.program.serving
        limit_s = SETTLES_WITHIN_S + self.subject.workers * self.subject.stop_limit_s
        if not before:
            self.notes.append("no process served any more")
            return
        if self.scenario.disturbance is Disturbance.KILL:
            before = frozenset({min(before)})
            limit_s = REPLACED_WITHIN_S
            self._kill(*before)
        else:
            self.tally.disturbed()
        if self.scenario.disturbance is Disturbance.HUP:
            self.program.send(signal.SIGHUP)
        await self._replaced(before, limit_s)

    def _kill(self, pid: int) -> None:
        self.killed.add(pid)
        self.tally.disturbed(by_killing=True)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    async def _replaced(self, before: frozenset[int], limit_s: float) -> None:
        """Wait until others serve in the place of these processes."""
        begun = time.monotonic()
        while time.monotonic() < begun + limit_s and self.program.exit_code is None:
            serving = self.program.serving
            if not before & serving and len(serving) >= self.subject.workers:
                self.replaced_s.append(round(time.monotonic() - begun, 2))
                return
            await asyncio.sleep(TICK_S)
        left = sorted(before & self.program.serving)
        what = f"{left} were not replaced" if left else "too few processes served again"
        self.notes.append(f"{what} within {limit_s:g} s")

    async def _stop(self, load: Load) -> Stop:
        at = time.monotonic()
        if not self._rounds:
            self.tally.disturbed()
        self.program.send(signal.SIGTERM)
        await asyncio.sleep(self.scenario.lag_s)
        load.end()
        return await _end_of(self.program, at, self.subject.stop_limit_s)

    def _report(self, start_s: float, stop: Stop) -> Report:
        return Report(
            disturbance=self.scenario.disturbance,
            paths=self.choice.paths,
            sockets_at=self.choice.sockets,
            left_out=self.choice.left_out,
            start_s=round(start_s, 2),
            requests=Requests.of(self.tally),
            sockets=dict(self.tally.sockets),
            lives=self.program.lives,
            killed=frozenset(self.killed),
            replaced_s=tuple(self.replaced_s),
            stops=(stop,),
            tracebacks=self.program.output.count(TRACEBACK),
            log=str(self.program.log),
            notes=(*self.notes, *self._advice()),
        )

    def _advice(self) -> Iterator[str]:
        """Say what explains failures, where something does."""
        is_refused = any(outcome is Outcome.REFUSED for _, outcome in self.tally.failed)
        lag_s, drain_s = self.scenario.lag_s, self.subject.drain_s
        if is_refused and lag_s >= drain_s:
            yield (
                f"clients came for {lag_s:g} s after SIGTERM, and SERVER.drain_s is {drain_s:g}:"
                " it has to be longer than a load balancer takes to notice"
            )


async def _end_of_start(program: Program, subject: Subject) -> Stop:
    """Tell a server to stop; one that has just come to its work ends as any other."""
    at = time.monotonic()
    program.send(signal.SIGTERM)
    stop = await _end_of(program, at, subject.stop_limit_s)
    if any(life.running for life in program.lives):
        return stop
    return replace(stop, limit_s=START_ENDS_WITHIN_S)


async def _end_of(program: Program, at: float, limit_s: float) -> Stop:
    await program.ended(limit_s - (time.monotonic() - at))
    took_s = time.monotonic() - at
    exit_code = program.exit_code
    program.close()
    return Stop(
        at_s=round(at - program.started_at, 2),
        took_s=round(took_s, 2),
        limit_s=limit_s,
        exit_code=exit_code,
    )


async def _something_open(program: Program) -> None:
    """Wait until a process has opened its first resource, or has come further."""
    while program.exit_code is None:
        if any(life.opened or life.running for life in program.lives):
            return
        await asyncio.sleep(TICK_S / 10)
