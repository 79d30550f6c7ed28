"""Real processes in tests: start one, read its output, wait for a condition, always reap it."""

from __future__ import annotations

import contextlib
import http.client
import inspect
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol, Self, TypeVar

import anyio

from .services import free_port

__all__ = [
    "Log",
    "Process",
    "Program",
    "Response",
    "descendants",
    "fetch",
    "free_port",
    "is_running",
    "run",
    "start",
    "wait_until",
    "wait_until_async",
]

T = TypeVar("T")

ROOT = Path(__file__).parent.parent
DEADLINE_S = 60
PAUSE_S = 0.02


Log = IO[bytes]


class Program(Protocol):
    """What runs, as `subprocess.Popen` has it."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    def poll(self) -> int | None: ...
    def wait(self) -> int: ...
    def send_signal(self, sig: int, /) -> None: ...
    def kill(self) -> None: ...


class Process:
    """A started program and what it has written so far; end it with `with`.

    Both output streams go to one file, so that a program that writes much never blocks. The
    program leads a process group of its own: leaving the `with` block ends whatever it started.

        with start([sys.executable, "-m", "http.server", str(port)]) as server:
            wait_until(lambda: fetch(f"http://127.0.0.1:{port}/"), describe=server)
            server.terminate()
            assert server.wait() == 0
    """

    def __init__(self, argv: Sequence[str], launch: Callable[[Log], Program]) -> None:
        self.argv = [str(argument) for argument in argv]
        self._log = tempfile.NamedTemporaryFile(prefix="fastforge-", suffix=".log")  # noqa: SIM115
        try:
            self.popen = launch(self._log)
        except BaseException:
            self._log.close()
            raise

    @property
    def pid(self) -> int:
        """The program's process id, and that of its group."""
        return self.popen.pid

    @property
    def output(self) -> str:
        """Everything the program has written until now."""
        return Path(self._log.name).read_text(errors="replace")

    @property
    def alive(self) -> bool:
        """Whether the program runs."""
        return self.popen.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the program alone, as a supervisor does."""
        self.popen.send_signal(number)

    def interrupt(self) -> None:
        """Send SIGINT to the whole group, as a terminal does on Ctrl-C."""
        os.killpg(self.pid, signal.SIGINT)

    def terminate(self) -> None:
        """Send SIGTERM to the program."""
        self.send(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL to the program: it cannot say goodbye."""
        self.send(signal.SIGKILL)

    def wait(self, *, deadline_s: float = DEADLINE_S) -> int:
        """The exit code, once the program has ended."""
        wait_until(lambda: not self.alive, deadline_s=deadline_s, describe=self)
        return self.popen.wait()

    def wait_for(self, text: str, *, deadline_s: float = DEADLINE_S) -> str:
        """The output, once it contains `text`; fails at once when the program ends before."""

        def written() -> str | None:
            ended = not self.alive
            output = self.output
            if text not in output and ended:
                raise AssertionError(f"ended before it wrote {text!r}: {self}")
            return output if text in output else None

        return wait_until(written, deadline_s=deadline_s, describe=self)

    def close(self) -> None:
        """End the program and everything in its group."""
        # The group exists as long as the program is not reaped or one of its children lives.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self.popen.kill()  # one that was forked may not lead its group yet
        self.popen.wait()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            error.add_note(str(self))
        self.close()

    def __str__(self) -> str:
        state = "running" if self.alive else f"exit code {self.popen.returncode}"
        return f"{' '.join(self.argv)} ({state}) wrote:\n{self.output}"


def start(
    argv: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Process:
    """Start a program; `env` is added to a clean environment that knows the source tree.

    `commanding.start` takes a fraction of it where the program is this Python.
    """

    return start_bare(argv, cwd=cwd, env=clean_environment() | dict(env or {}))


def start_bare(argv: Sequence[str], *, cwd: Path | None, env: Mapping[str, str]) -> Process:
    """Start a program that has these variables and no others."""

    def launch(log: Log) -> Program:
        return subprocess.Popen(
            [str(argument) for argument in argv],
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    return Process(argv, launch)


def run(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    deadline_s: float = DEADLINE_S,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end: exit code and output (standard error apart)."""
    return subprocess.run(
        [str(argument) for argument in argv],
        cwd=cwd,
        env=clean_environment() | dict(env or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=deadline_s,
        check=False,
    )


@dataclass(frozen=True, slots=True)
class Response:
    """What a server answered; true, whatever its status. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: str


def fetch(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    timeout_s: float = DEADLINE_S,
) -> Response | None:
    """Ask for `url`: the answer, or None when nobody listens there (yet, or any more)."""
    request = urllib.request.Request(url, method=method, headers=dict(headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:
            return _response(answer.status, answer)
    except urllib.error.HTTPError as answer:
        with answer:
            return _response(answer.code, answer)
    except (OSError, http.client.HTTPException):
        return None


def _response(status: int, answer: Any) -> Response:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Response(status, headers, answer.read().decode())


def clean_environment() -> dict[str, str]:
    """This process's environment without what would change a project, with `src` importable."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("FASTFORGE_", "PYTEST_")) and name != "PYTHONPATH"
    }
    programs = Path(sys.executable).parent
    return kept | {
        "PATH": f"{programs}{os.pathsep}{kept.get('PATH', '')}",
        "PYTHONPATH": str(ROOT / "src"),
        "PYTHONUNBUFFERED": "1",
        # What a process says is read as text; tests/observability has it as JSON.
        "FASTFORGE_LOG_FORMAT": "console",
        # To import them is a third of a small run of pytest, and no project of a test has them.
        "PYTEST_ADDOPTS": "-p no:schemathesis -p no:hypothesispytest",
    }


def is_running(pid: int) -> bool:
    """Whether there is such a process (one that has ended and is not reaped yet counts)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def descendants(pid: int) -> set[int]:
    """The processes that a process has started, and theirs."""
    parents = parents_of_processes()
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def parents_of_processes() -> dict[int, int]:
    """Every process of this machine and its parent; a small Linux has no `ps`, macOS no /proc."""
    if not Path("/proc/self/stat").exists():
        table = run(["ps", "-A", "-o", "pid=,ppid="]).stdout.split()
        return dict(zip(map(int, table[::2]), map(int, table[1::2]), strict=True))
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended since
            # After the name, which may hold anything, stand the state and the parent.
            parents[int(path.parent.name)] = int(path.read_text().rsplit(")", 1)[1].split()[1])
    return parents


def wait_until(
    condition: Callable[[], T | None], *, deadline_s: float = DEADLINE_S, describe: object = ""
) -> T:
    """The first true value of `condition`, asked again and again; fails after `deadline_s`."""
    deadline = time.monotonic() + deadline_s
    while True:
        if value := condition():
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {deadline_s} s: {_source(condition)} {describe}")
        time.sleep(PAUSE_S)


async def wait_until_async(
    condition: Callable[[], T | Awaitable[T | None] | None],
    *,
    deadline_s: float = DEADLINE_S,
    describe: object = "",
) -> T:
    """Like `wait_until` inside an event loop; `condition` may be asynchronous."""
    deadline = time.monotonic() + deadline_s
    while True:
        value: Any = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value  # type: ignore[no-any-return]
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {deadline_s} s: {_source(condition)} {describe}")
        await anyio.sleep(PAUSE_S)


def _source(condition: Callable[..., object]) -> str:
    with contextlib.suppress(OSError, TypeError):
        return inspect.getsource(condition).strip()
    return repr(condition)
