"""A program in a real terminal: what it shows, and keys that are typed into it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from .processes import DEADLINE_S, clean_environment

__all__ = ["CTRL_C", "CTRL_D", "Terminal", "in_terminal"]

CTRL_C = "\x03"
CTRL_D = "\x04"
AGAIN_S = 2

# A process whose session is new takes the terminal that it is given as its own: only then does
# Ctrl-C reach it as a signal.
TAKE = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
TAKE += "os.execvp(sys.argv[1], sys.argv[1:])"

_ESCAPES = re.compile(r"\x1b(\][^\x07]*(\x07|\x1b\\)|[@-Z\\-_]|\[[0-?]*[ -/]*[@-~])")


class Terminal:
    """One program and its terminal."""

    def __init__(self, popen: subprocess.Popen[bytes], descriptor: int) -> None:
        self.popen = popen
        self._descriptor = descriptor
        self._shown = b""
        self._seen = 0

    @property
    def shown(self) -> str:
        """All that was written, without colours and movements of the cursor."""
        return _ESCAPES.sub("", self._shown.decode(errors="replace")).replace("\r", "")

    def type(self, keys: str) -> None:
        """Type keys; a line ends with Enter only if it says so."""
        os.write(self._descriptor, keys.encode())

    def enter(self, line: str) -> None:
        """Type one line and Enter."""
        self.type(f"{line}\r")

    def wait_for(self, text: str) -> str:
        """What is shown since the last call, up to `text`, once that has appeared."""
        deadline = time.monotonic() + DEADLINE_S
        while (found := self.shown.find(text, self._seen)) < 0:
            if time.monotonic() > deadline or not self._read():
                raise AssertionError(f"{text!r} is not shown after {self.shown[self._seen :]!r}")
        before, self._seen = self._seen, found + len(text)
        return self.shown[before : self._seen]

    def press_until(self, keys: str, text: str) -> str:
        """Type keys again and again, as somebody does who sees nothing happen."""
        deadline = time.monotonic() + DEADLINE_S
        while self.shown.find(text, self._seen) < 0 and time.monotonic() < deadline:
            self.type(keys)
            again = time.monotonic() + AGAIN_S
            while self.shown.find(text, self._seen) < 0 and time.monotonic() < again:
                self._read()
        return self.wait_for(text)

    def wait(self) -> int:
        """The exit code, once the program has ended; all that it has shown is read then."""
        deadline = time.monotonic() + DEADLINE_S
        while self._read():
            if time.monotonic() > deadline:
                raise AssertionError(f"still running after {self.shown[self._seen :]!r}")
        return self.popen.wait(DEADLINE_S)

    def _read(self) -> bool:
        """Read what is there; False once the program has closed the terminal."""
        if not select.select([self._descriptor], [], [], 0.1)[0]:
            return True
        try:
            data = os.read(self._descriptor, 65536)
        except OSError:  # how Linux says that nobody has the other end any more
            return False
        self._shown += data
        return bool(data)


@contextmanager
def in_terminal(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    """Start a program in a terminal of its own; it is killed at the end of the block."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
    own = {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}
    popen = subprocess.Popen(
        [sys.executable, "-c", TAKE, *argv],
        cwd=cwd,
        env=clean_environment() | own | dict(env or {}),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Terminal(popen, master)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(popen.pid, 9)
        popen.wait()
        os.close(master)
