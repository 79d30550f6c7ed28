"""A project that is served for real: its process, its database, its log."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.commanding import start
from tests.folder import ProjectFolder
from tests.processes import Process, fetch, free_port, wait_until

from .wire import Answer, Wire, ask

PRODUCTION = {"FASTFORGE_ENV": "production"}
PYPROJECT = '[tool.fastforge]\nsettings = "shop.settings"\n'


@dataclass(frozen=True, slots=True)
class Site:
    """A serving process and the folder of its project."""

    path: Path
    port: int
    process: Process

    def get(self, path: str, *headers: str) -> Answer:
        return ask(self.port, "GET", path, headers=headers)

    def post(self, path: str, *headers: str, body: bytes = b"") -> Answer:
        return ask(self.port, "POST", path, headers=headers, body=body)

    def connect(self) -> Wire:
        return Wire(self.port)

    def open_gate(self, name: str) -> None:
        """Let whoever waits for this gate go on."""
        (self.path / f"{name}.gate").touch()

    def wait_for(self, text: str) -> None:
        """Wait until the process has written something."""
        self.process.wait_for(text)

    @property
    def names(self) -> list[str]:
        """The rows that are committed."""
        return list(self.get("/names").json)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The access lines until now."""
        return access_lines(self.process)

    def line(self, **fields: object) -> dict[str, Any]:
        """The one access line that has these fields, once it is there."""

        def found() -> list[dict[str, Any]]:
            return [line for line in self.lines if fields.items() <= line.items()]

        line, *more = wait_until(found, describe=f"{fields} {self.process}")
        assert not more, f"more than one line: {more}"
        return line

    def line_of(self, answer: Answer) -> dict[str, Any]:
        """The access line of a request that has been answered."""
        return self.line(request_id=answer.request_id)

    def leave(self, wire: Wire, *, reset: bool = False) -> None:
        """Let a client go, and wait until the server has noticed."""
        port = wire.socket.getsockname()[1]
        wire.leave(reset=reset)
        wait_until(lambda: port not in self.get("/inside").json["peers"], describe=self.process)

    @property
    def connections_out(self) -> int:
        """How many connections of the pool are in use."""
        return int(self.get("/inside").json["out"])


def access_lines(process: Process) -> list[dict[str, Any]]:
    """What a process has written about requests; a line that is not whole yet does not count."""
    found = []
    for text in process.output.splitlines(keepends=True):
        if text.startswith("{") and text.endswith("\n"):
            line = json.loads(text)
            if line.get("event") == "request":
                found.append(line)
    return found


def write(path: Path, files: Mapping[str, str]) -> ProjectFolder:
    """Write a project whose settings are `shop.settings`, and give its folder."""
    folder = ProjectFolder(path)
    folder.write({"pyproject.toml": PYPROJECT, **files})
    return folder


def runserver(path: Path, port: int, environ: Mapping[str, str] | None = None) -> Process:
    """Start `manage runserver` as it serves in production, in one process."""
    argv = [sys.executable, "-m", "fastforge", "runserver", str(port), "--workers", "1"]
    # No platform has to hear of the end before the socket is closed.
    environ = {"FASTFORGE_LOG_FORMAT": "json", "FASTFORGE_PRE_STOP_S": "0", **(environ or {})}
    return start(argv, cwd=path, env={**PRODUCTION, **environ})


@contextmanager
def serving(
    path: Path, files: Mapping[str, str], *, environ: Mapping[str, str] | None = None
) -> Iterator[Site]:
    """Write a project and serve it; it answers at `/ready`."""
    write(path, files)
    port = free_port()
    with runserver(path, port, environ) as process:
        wait_until(lambda: is_ready(process, port), describe=process)
        yield Site(path, port, process)


def is_ready(process: Process, port: int) -> bool:
    """Whether it answers; a process that has ended never will."""
    assert process.alive, str(process)
    return fetch(f"http://127.0.0.1:{port}/ready") is not None
