"""Servers under measurement: a process, its clients' connections, and the CPU time it takes."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.processes import ROOT, Process, descendants, free_port, start

__all__ = ["Clients", "Times", "Web", "answer_of", "request_of"]

DEADLINE_S: Final = 60
POLL_S: Final = 0.002


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """A server as its users start it.

    Attributes:
        command: With `{port}` where the port belongs.
        folder: Where it runs; it imports from there.
        env: What it needs besides this process's environment.
    """

    command: tuple[str, ...]
    folder: Path = ROOT
    env: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def running(self, probe: bytes, times: Times) -> Iterator[Running]:
        """Start it, and end it as a supervisor does, which is when its stop is measured.

        Args:
            probe: A request; it runs once this is answered.
            times: What the times of this run are noted in.
        """
        port = free_port()
        started = time.perf_counter()
        with self._process(port) as process:
            bound = _wait_for_answer(process, port, probe)
            ready = time.perf_counter()
            times.start_s.append(ready - started)
            times.bind_to_ready_s.append(ready - bound)
            yield Running(process, port)
            stopping = time.perf_counter()
            process.send(signal.SIGTERM)
            process.popen.wait(timeout=DEADLINE_S)
            times.stop_s.append(time.perf_counter() - stopping)

    @contextmanager
    def until_killed(self, probe: bytes) -> Iterator[Running]:
        """Start it, and kill it in the end: it may have been made to stop slowly.

        Args:
            probe: A request; it runs once this is answered.
        """
        port = free_port()
        with self._process(port) as process:
            _wait_for_answer(process, port, probe)
            yield Running(process, port)

    def _process(self, port: int) -> Process:
        command = [word.format(port=port) for word in self.command]
        folders = os.pathsep.join(map(str, (ROOT / "src", self.folder)))
        # With it, our modules would be compiled at every start, unlike those that are installed.
        compiled = {"PYTHONDONTWRITEBYTECODE": ""}
        env = {"PYTHONPATH": folders, **compiled, **self.env}
        return start(command, cwd=self.folder, env=env)


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """The times of all runs of one server, in seconds.

    Attributes:
        start_s: From the start of the process to its first answer.
        bind_to_ready_s: Of that, since it let a client connect, who then had to wait.
        stop_s: From SIGTERM to the end of the process, while no client is connected.
    """

    start_s: list[float] = field(default_factory=list)
    bind_to_ready_s: list[float] = field(default_factory=list)
    stop_s: list[float] = field(default_factory=list)


class Running:
    """A server that runs."""

    def __init__(self, process: Process, port: int) -> None:
        self._process = process
        self.port = port

    @property
    def pid(self) -> int:
        """That of its first process."""
        return self._process.pid

    def cpu_s(self) -> float:
        """Return the CPU time that its process has taken, and those that it has started."""
        return sum(map(_cpu_s, (self._process.pid, *descendants(self._process.pid))))


def answer_of(port: int, request: bytes) -> bytes:
    """Return the body of one answer.

    Raises:
        RuntimeError: It was no success.
    """
    with _connected(port) as client:
        size = _size_of_answer(client, request)
        client.sendall(request)
        answer = client.recv(size, socket.MSG_WAITALL)
    _check(answer)
    return answer.partition(b"\r\n\r\n")[2]


class Clients:
    """Connections that stay open, on each of which one request at a time is under way.

    They take little themselves: the length of the answer is measured once.

    Args:
        port: The server's.
        count: How many connections.
        stack: Closes them.
    """

    def __init__(self, port: int, count: int, stack: ExitStack) -> None:
        self._sockets = [stack.enter_context(_connected(port)) for _ in range(count)]

    def ask(self, request: bytes, times: int) -> None:
        """Send a request on every connection, so many times.

        Raises:
            RuntimeError: An answer was no success.
        """
        size = _size_of_answer(self._sockets[0], request)
        for _ in range(times):
            for client in self._sockets:
                client.sendall(request)
            for client in self._sockets:
                _check(client.recv(size, socket.MSG_WAITALL))


def request_of(
    method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> bytes:
    """Return a request as clients send it over connections that stay open."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        "User-Agent: benchmark",
        "Accept: */*",
        "Accept-Encoding: gzip, deflate",
        "Connection: keep-alive",
    ]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join((*lines, "", "")).encode() + body


def _connected(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)
    # The kernel's own limit: with Python's, one call takes what is there in place of all.
    client.settimeout(None)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", DEADLINE_S, 0))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def _wait_for_answer(process: Process, port: int, probe: bytes) -> float:
    """Wait for the first answer; return when its client was let in."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline and process.alive:
        with contextlib.suppress(ConnectionError), _connected(port) as client:
            bound = time.perf_counter()
            _size_of_answer(client, probe)
            return bound
        time.sleep(POLL_S)
    raise RuntimeError(f"no answer: {process}")


def _size_of_answer(client: socket.socket, request: bytes) -> int:
    client.sendall(request)
    answer = b""
    while b"\r\n\r\n" not in answer:
        part = client.recv(65536)
        if not part:
            raise ConnectionResetError
        answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    _check(head)
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    missing = int(fields[b"content-length"]) - len(body)
    client.recv(missing, socket.MSG_WAITALL)
    return len(answer) + missing


def _check(answer: bytes) -> None:
    if not answer.startswith(b"HTTP/1.1 2"):
        raise RuntimeError(f"answered with {answer[:200]!r}")


def _cpu_s(pid: int) -> float:
    # The number of a process's clock, as Linux has it; /proc counts in hundredths of a second.
    return time.clock_gettime(~pid << 3 | 2)
