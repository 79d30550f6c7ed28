"""Program: the server under test as a child process, with its output and its diary in files."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from ..lifecycle.diary import DIARY_VARIABLE
from .lives import Life, read_lives
from .wire import ADDRESS

__all__ = ["Launch", "Program", "ServerOptions", "free_port"]

PORTS: Final = range(20_000, 32_000)
"""Below those that systems give to clients: one of ours might connect to itself otherwise."""
TICK_S: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """What `manage runserver` is told besides the address.

    Args:
        workers: How many processes serve.
        max_requests: After about how many requests one is replaced; None: never.
    """

    workers: int
    max_requests: int | None = None

    def as_arguments(self) -> list[str]:
        """Return it as arguments of the command line."""
        arguments = ["--production", "--workers", str(self.workers)]
        if self.max_requests is not None:
            arguments += ["--max-requests", str(self.max_requests)]
        return arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How the server is started.

    Args:
        argv: The command line.
        port: The port on 127.0.0.1 that it names.
        cwd: The working directory.
        environ: The environment.
    """

    argv: Sequence[str]
    port: int
    cwd: Path
    environ: Mapping[str, str]

    @classmethod
    def of_project(
        cls,
        settings_module: str,
        *,
        options: Sequence[str],
        cwd: Path,
        environ: Mapping[str, str],
    ) -> Launch:
        """Return how `manage runserver` serves a project on a port of its own.

        Args:
            settings_module: The dotted name of the settings.
            options: What `runserver` is given besides the address.
            cwd: The working directory.
            environ: The environment.
        """
        port = free_port()
        manage = [sys.executable, "-m", "fastforge", "--settings", settings_module]
        argv = [*manage, "runserver", f"{ADDRESS}:{port}", *options]
        return cls(argv=argv, port=port, cwd=cwd, environ=environ)


class Program:
    """A started server; leaving its `with` block ends whatever is left of it.

    Args:
        launch: How it is started.
        folder: Where its files are written.
    """

    def __init__(self, launch: Launch, folder: Path) -> None:
        self.log = folder / "server.log"
        self._diary = folder / "lifecycle.jsonl"
        self.started_at = time.monotonic()
        with self.log.open("wb") as output:
            self._popen = subprocess.Popen(
                launch.argv,
                cwd=launch.cwd,
                env={**launch.environ, DIARY_VARIABLE: str(self._diary), "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process that was started: the server, or the manager of several."""
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        return self._popen.poll()

    @property
    def output(self) -> str:
        """What it has written."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def lives(self) -> tuple[Life, ...]:
        """The processes of it, those that ended too."""
        return read_lives(self._diary)

    @property
    def serving(self) -> frozenset[int]:
        """The processes that serve."""
        return frozenset(life.pid for life in self.lives if life.serves and _is_there(life.pid))

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process that was started."""
        with suppress(ProcessLookupError):
            self._popen.send_signal(number)

    async def ended(self, limit_s: float) -> bool:
        """Wait for its end; return whether it came in time."""
        deadline = time.monotonic() + limit_s
        while self.exit_code is None:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(TICK_S)
        return True

    def close(self) -> None:
        """Kill whatever is left."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as sock, suppress(OSError):
            sock.bind((ADDRESS, port))
            return port


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
