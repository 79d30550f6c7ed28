"""Reload: a supervisor that holds the socket and starts the server anew when code changes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from watchfiles import PythonFilter, watch

from ..signals import SIGNALS

__all__ = ["serve_with_reload"]

POLL_MS: Final = 500
DEBOUNCE_MS: Final = 200
KILL_AFTER_S: Final = 10


def serve_with_reload(
    application: str, sock: socket.socket, *, root: Path, graceful_s: float = 2
) -> int:
    """Serve an application in a child process that is replaced when a `.py` file changes.

    The socket stays open meanwhile, so that requests wait in place of being refused. A child
    that cannot start says why; the next edit starts another one. Should this process be killed,
    the child leaves by itself.

    ```python
    raise SystemExit(serve_with_reload("shop.asgi:app", bind("127.0.0.1", 8000), root=Path.cwd()))
    ```

    Args:
        application: `package.module:attribute`.
        sock: A socket that listens, from `bind`.
        root: The project's folder: it is watched, and the application is imported from it.
        graceful_s: How long requests in flight may go on when the child is replaced, in seconds.

    Returns:
        The exit code of the process: 0.
    """
    with _supervisor(application, sock, root, graceful_s) as supervisor:
        supervisor.start()
        for changes in watch(
            root,
            watch_filter=PythonFilter(),
            debounce=DEBOUNCE_MS,
            rust_timeout=POLL_MS,
            yield_on_timeout=True,
            stop_event=supervisor.stopping,
            raise_interrupt=False,
        ):
            if changes:
                supervisor.restart(sorted(path for _, path in changes))
            supervisor.report_end()
    return 0


@contextmanager
def _supervisor(
    application: str, sock: socket.socket, root: Path, graceful_s: float
) -> Iterator[_Supervisor]:
    """Give a supervisor that hears the signals; at the end its child is stopped."""
    # Nobody writes into the pipe: a child that holds its other end notices when we are gone.
    reading, writing = os.pipe()
    command = [
        *(sys.executable, "-m", "fastforge.server.child"),
        *(application, str(sock.fileno()), str(reading), str(root), str(graceful_s)),
    ]
    supervisor = _Supervisor(command, (sock.fileno(), reading), root)
    before = {number: signal.signal(number, supervisor.hear) for number in SIGNALS}
    try:
        yield supervisor
    finally:
        supervisor.stop()
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reading)
        os.close(writing)


class _Supervisor:
    """The holder of the child process."""

    def __init__(self, command: list[str], inherited: tuple[int, ...], root: Path) -> None:
        self.stopping = threading.Event()
        self._command = command
        self._inherited = inherited
        self._root = root
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        # Blocked from its first instruction on: a Ctrl-C of the terminal is for us alone.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._child = subprocess.Popen(self._command, pass_fds=self._inherited)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

    def restart(self, paths: list[str]) -> None:
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        _say(f"{os.path.relpath(paths[0], self._root)}{more} changed: restarting")
        self.stop()
        self.start()

    def stop(self) -> None:
        """End the child: gracefully, or by force when it does not end."""
        if self._child is None:
            return
        self._child.terminate()
        try:
            self._child.wait(KILL_AFTER_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._child = None

    def report_end(self) -> None:
        """Say once that the child has ended by itself; the next edit starts another."""
        if self._child is not None and self._child.poll() is not None:
            _say(f"the server ended with code {self._child.returncode}: waiting for an edit")
            self._child = None

    def hear(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal: the first one stops, the second one does not wait."""
        if self.stopping.is_set() and self._child is not None:
            self._child.kill()
        self.stopping.set()


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
