"""Subject: the server that is put to the proof, and when it counts as ready."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .._utils import redact
from ..exceptions import StartError
from .probing import refusal, shown
from .program import TICK_S, Launch, Program
from .wire import Target

__all__ = ["Subject", "ready"]

LOG_LINES: Final = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The server that is put to the proof.

    Args:
        launch: How it is started.
        target: How it is asked.
        ready_path: What answers 200 once it should be given requests.
        workers: How many of its processes serve.
        start_limit_s: How long its start may take, in seconds.
        stop_limit_s: How long its end may take, from SIGTERM on, in seconds.
        drain_s: How long it takes new connections after SIGTERM, in seconds.
    """

    launch: Launch
    target: Target
    ready_path: str
    workers: int
    start_limit_s: float
    stop_limit_s: float
    drain_s: float = 0

    def start(self, folder: Path) -> Program:
        """Start it.

        Args:
            folder: Where its files are written; it is made.
        """
        folder.mkdir(parents=True)
        return Program(self.launch, folder)


async def ready(subject: Subject, program: Program) -> float:
    """Wait until a server is ready and all its processes serve; return how long that took.

    Raises:
        StartError: It has ended, or takes too long.
    """
    deadline = program.started_at + subject.start_limit_s
    while True:
        is_ready = not await refusal(subject.ready_path, subject.target)
        if is_ready and len(program.serving) >= subject.workers:
            return time.monotonic() - program.started_at
        if program.exit_code is not None:
            raise _not_started(subject, program, f"it ended with {program.exit_code}")
        if time.monotonic() > deadline:
            how = f"not in {subject.start_limit_s:g} s, {await _lack(subject, program)}"
            raise _not_started(subject, program, how)
        await asyncio.sleep(TICK_S)


async def _lack(subject: Subject, program: Program) -> str:
    """Return what a server that runs has not come to: readiness names what fails."""
    if why := await refusal(subject.ready_path, subject.target):
        said = await shown(subject.ready_path, subject.target)
        return f"{subject.ready_path}: {why} {said}".rstrip()
    return f"{len(program.serving)} of {subject.workers} processes serve"


def _not_started(subject: Subject, program: Program, how: str) -> StartError:
    asked = f'"path":"{subject.ready_path}"'
    # The access lines of our own questions would leave no room for anything else.
    lines = [line for line in redact(program.output).splitlines() if asked not in line]
    last = "".join(f"\n  {line}" for line in lines[-LOG_LINES:]) or "nothing"
    return StartError(
        f"the server did not become ready: {how}; it wrote: {last}",
        code="chaos.E002",
        hint="start it by hand: FASTFORGE_ENV=production manage runserver --production",
    )
