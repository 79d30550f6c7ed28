"""Processes: those of one project, started when they are needed and used again."""

from __future__ import annotations

import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Any, Final

from .._utils import told
from ..observability.context import request_id
from ..observability.logging.light import lines_for_children
from ..signals import ending_of
from .call import Call, name_of
from .child import receive, send, unsendable
from .errors import OffloadCrashed, OffloadError, stopped

__all__ = ["Processes"]

# anyio.to_process and multiprocessing run the program that was started once more in each process,
# the whole server or a script without a guard; this imports what the function needs.
PROGRAM: Final = """\
import json, sys
sys.path[:] = json.loads(sys.argv[2])
from fastforge.offloading.child import main
main()
"""
END_LIMIT_S: Final = 1.0
"""How long a process may take to end by itself."""


class Processes:
    """Runs functions in processes, one at a time in each.

    Whoever calls is a thread, and waits in it: what is large is copied beside the event loop.
    How many at the same time is for the caller to say.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy: dict[Call, _Worker] = {}
        self._idle: list[_Worker] = []
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._busy) + len(self._idle)

    def run(self, call: Call) -> Any:
        """Return what a call's function returns, or raise what it raises.

        Raises:
            OffloadError: It cannot be sent, or what came of it cannot; or the project stopped.
            OffloadCrashed: The process ended before it answered.
        """
        request = _request(call)
        worker = self._enter(call)
        try:
            answer = worker.ask(request)
        except (OSError, EOFError):
            raise stopped() if self._is_closed else _crashed(call, worker.exit_code) from None
        finally:
            self._leave(call)
        return _result(call, answer)

    def abandon(self, call: Call) -> None:
        """End the process of a call that nobody waits for any more; its thread sees to the rest."""
        with self._lock:
            if call in self._busy:
                self._busy[call].kill()

    def close(self) -> None:
        """End all processes, and wait until they are gone."""
        with self._lock:
            self._is_closed = True
            workers = (*self._idle, *self._busy.values())
            self._idle.clear()
        for worker in workers:
            worker.hang_up()
        for worker in workers:
            worker.end()

    def _enter(self, call: Call) -> _Worker:
        worker = self._idle_worker() or _Worker()
        with self._lock:
            self._busy[call] = worker
            if self._is_closed or call.is_abandoned:  # while it was on its way here
                worker.kill()
        return worker

    def _idle_worker(self) -> _Worker | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                worker = self._idle.pop()
            if worker.is_usable:
                return worker
            worker.end()  # somebody else has ended it

    def _leave(self, call: Call) -> None:
        with self._lock:
            worker = self._busy.pop(call)
            if worker.is_usable and not self._is_closed:
                self._idle.append(worker)
                return
        worker.end()


class _Worker:
    """A process with the import path of this one, and a socket to it.

    It leads a session of its own, so that Ctrl-C in a terminal does not reach it, and what it
    starts in turn is ended with it. It ends with the process that started it, however that ends.
    """

    def __init__(self) -> None:
        self._is_hung_up = False
        self._socket, theirs = socket.socketpair()
        number = theirs.fileno()
        try:
            with theirs:
                self._process = subprocess.Popen(
                    _arguments(number),
                    stdin=subprocess.DEVNULL,
                    pass_fds=(number,),
                    start_new_session=True,
                )
        except BaseException:
            self._socket.close()
            raise

    @property
    def is_usable(self) -> bool:
        """Whether it can be asked."""
        return not self._is_hung_up and self._process.poll() is None

    @property
    def exit_code(self) -> int:
        """What it ended with; less than 0 for a signal."""
        return self._process.wait()

    def ask(self, request: bytes) -> bytearray:
        """Wait for its answer to a request. Without one it is ended.

        Raises:
            EOFError: It ended, or was hung up, before it answered.
            OSError: The same.
        """
        try:
            send(self._socket, request)
            return receive(self._socket)
        except BaseException:
            self.end()
            raise

    def hang_up(self) -> None:
        """Let it end when it has nothing to do, and nobody wait for its answer."""
        self._is_hung_up = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def kill(self) -> None:
        """End it by force, with what it has started."""
        self.hang_up()
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Hang up, and wait until it is gone; soon by force."""
        self.hang_up()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_LIMIT_S)
        self.kill()
        self._process.wait()
        self._socket.close()


def _arguments(number: int) -> list[str]:
    lines = lines_for_children()
    told = (str(number), json.dumps(sys.path), *((lines,) if lines else ()))
    return [sys.executable, "-c", PROGRAM, *told]


def _request(call: Call) -> bytes:
    target = name_of(call.function)
    if target.startswith("__main__."):
        raise OffloadError(
            f"{target} cannot be sent to a process: it is defined in the program that was started",
            code="offloading.E004",
            hint="move it into a module, which another process can import",
        )
    content = (call.name, request_id.get(), call.function, call.args)
    try:
        return pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        what = "an argument of " if _can_be_sent(call.function) else ""
        raise OffloadError(
            f"{what}{target} cannot be sent to a process: {told(error)}",
            code="offloading.E004",
            hint="give a function from the top level of a module, and values that pickle copies",
        ) from error


def _can_be_sent(function: Any) -> bool:
    try:
        pickle.dumps(function)
    except Exception:
        return False
    return True


def _result(call: Call, answer: bytearray) -> Any:
    error: BaseException | None
    try:
        value, error, place = pickle.loads(answer)
    except Exception as reason:
        raise unsendable(call.name, "what it returned", reason) from reason
    if error is None:
        return value
    if place:
        error.add_note(f"in the process that ran it:\n{place}")
    raise error


def _crashed(call: Call, code: int) -> OffloadCrashed:
    memory = code == -signal.SIGKILL
    return OffloadCrashed(
        f"the process that ran {call.name} {ending_of(code)}",
        code="offloading.E012",
        hint="the machine may have run out of memory" if memory else "its own output says why",
    )
