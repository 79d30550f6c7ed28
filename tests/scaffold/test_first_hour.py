"""The first hour: the wheel in an empty environment, and every command of the new README typed.

Nothing here knows the source tree: pip installs the wheel beside the released packages that the
project names, so a package index has to be within reach. Every warning is an error.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.environment import NEWEST, OLDEST
from scripts.test_everywhere import find_python
from tests.processes import clean_environment, fetch, free_port, start_bare, wait_until
from tests.wheel import build_wheel

DEADLINE_S = 300
BROWSER = {"Accept": "text/html"}
TESTS = "python -m pytest"
VENV = "python -m venv .venv"  # the README's first command; there is one already, to get fastforge
# What production would mind is no mistake of a new project: it is in development, on SQLite.
FINDS_SOMETHING = "python manage.py check --deploy"
OTHER_SERVERS = (
    "fastapi dev --port {port}",
    "fastapi run --port {port}",
    "uvicorn shop.asgi:app --port {port}",
    "granian --interface asgi --port {port} shop.asgi:app",
)
# The running Python; for `make test-long` the other supported ones too.
VERSIONS = [
    minor if minor == sys.version_info[1] else pytest.param(minor, marks=pytest.mark.long)
    for minor in range(OLDEST[1], NEWEST[1] + 1)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A folder with an environment of its own, and somebody who types there."""

    folder: Path

    @property
    def variables(self) -> dict[str, str]:
        """What the shell has after `source .venv/bin/activate`."""
        return clean_environment() | {
            "PATH": f"{self.folder / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": "",
            "PYTHONWARNINGS": "error",
            "VIRTUAL_ENV": str(self.folder / ".venv"),
        }

    def type(self, command: str, *, exit_code: int = 0) -> str:
        """Run a command to its end and return what it wrote."""
        if " pip install " in command:
            return self.install(command)
        done = self._run(command, self.variables)
        assert done.returncode == exit_code, f"$ {command}\n{done.stdout}"
        assert "Warning" not in done.stdout, f"$ {command}\n{done.stdout}"
        return done.stdout

    def install(self, command: str) -> str:
        """Run a command of pip, whose own warnings are not ours."""
        done = self._run(command, self.variables | {"PYTHONWARNINGS": ""})
        if done.returncode != 0:
            pytest.fail(
                f"`{command}` failed; this test needs a package index that pip reaches"
                f" (PIP_INDEX_URL):\n{done.stdout}",
                pytrace=False,
            )
        return done.stdout

    def serve(self, command: str, *paths: str) -> None:
        """Start a server, ask it for pages, and end it as Ctrl-C does."""
        port = free_port()
        argv = ["bash", "-c", f"exec {command.format(port=port)}"]
        with start_bare(argv, cwd=self.folder, env=self.variables) as server:
            for path in paths:
                url = f"http://127.0.0.1:{port}{path}"
                answer = wait_until(
                    lambda url=url: server.alive and fetch(url, headers=BROWSER), describe=server
                )
                assert answer and answer.status == 200, f"{path}: {answer}\n{server}"
            server.interrupt()
            server.wait()
            assert "Warning" not in server.output, server

    def work(self, command: str) -> None:
        """Start a worker, and end it as a supervisor does once it is there."""
        argv = ["bash", "-c", f"exec {command}"]
        with start_bare(argv, cwd=self.folder, env=self.variables) as worker:
            worker.wait_for("default")
            worker.terminate()
            assert worker.wait() == 0, worker
            assert "Warning" not in worker.output, worker

    def _run(self, command: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )


def commands_of(page: Path) -> list[str]:
    """The commands of the console blocks of a page, in order, without their comments."""
    blocks = re.findall(r"^```console\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).splitlines()
    return [command for line in lines if (command := re.sub(r"\s+#.*", "", line).strip())]


def mentioned_in(page: Path) -> set[str]:
    """The complete commands that a page names within its sentences."""
    spans = re.findall(r"`(python manage\.py [^`]+)`", page.read_text())
    return {" ".join(span.split()) for span in spans if "NAME" not in span}


@pytest.mark.parametrize("minor", VERSIONS)
def test_the_first_hour(minor: int, tmp_path: Path) -> None:
    """An empty environment, a project, its README and AGENTS.md, an app, and four servers."""
    python = sys.executable if minor == sys.version_info[1] else find_python(minor)
    if python is None:
        pytest.skip(f"Python 3.{minor} is not installed here")
    desk = Desk(folder=tmp_path / "shop")
    desk.folder.mkdir()
    wheel = build_wheel(tmp_path)
    desk.type(f"{shlex.quote(python)} -m venv .venv")
    desk.install(f"python -m pip install {wheel} granian fastapi-cli")
    desk.type("fastforge startproject shop .")

    typed, checks = (commands_of(desk.folder / page) for page in ("README.md", "AGENTS.md"))
    assert typed.index(VENV) == 0
    assert TESTS in typed
    for command in typed[1:]:
        if command.startswith("python manage.py startapp"):
            # Before there is an app; with one, the README goes on to the same tools, and pyright
            # reads all of these files once more, which it keeps nothing of.
            for check in checks:
                if check != "pyright":
                    desk.type(check)
        if command == "python manage.py runserver":
            desk.serve(f"{command} {{port}}", "/", "/docs", "/openapi.json")
        elif command == "python manage.py runworker":
            desk.work(command)
        else:
            output = desk.type(command, exit_code=1 if command == FINDS_SOMETHING else 0)
            assert command != TESTS or "11 passed" in output
    for page in ("README.md", "AGENTS.md"):
        assert mentioned_in(desk.folder / page) <= {*commands_of(desk.folder / "README.md")}

    # The image installs what the project depends on before it has the code.
    desk.type("mkdir layer && cp pyproject.toml layer")
    desk.install("python -m pip install --no-deps ./layer")
    for command in OTHER_SERVERS:
        desk.serve(command, "/openapi.json")
