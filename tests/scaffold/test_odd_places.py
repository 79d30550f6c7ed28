"""A project in a folder with a space and letters beyond ASCII, and a process that lacks everything.

No HOME, no terminal, the language C: so a cron job, a container and many a build server start it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import DEADLINE_S, ROOT, Process, fetch, free_port, start_bare, wait_until

# All variables that a process gets.
BARE = {
    "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
    "PYTHONPATH": str(ROOT / "src"),
    "LANG": "C",
    "LC_ALL": "C",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in such a folder, made by such a process."""
    folder = tmp_path_factory.mktemp("odd") / "mein Läden 店"
    folder.mkdir()
    arguments = ("-m", "fastforge", "startproject", "shop", ".")
    assert "wrote manage.py" in output_of(folder, *arguments)
    return folder


def output_of(folder: Path, *arguments: str) -> str:
    """What a process writes that has the variables `BARE` and no others, and no terminal."""
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=folder,
        env=BARE,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        timeout=DEADLINE_S,
        start_new_session=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture
def server(project: Path) -> Iterator[tuple[Process, str]]:
    port = free_port()
    argv = [sys.executable, "-W", "error", "manage.py", "runserver", str(port)]
    with start_bare(argv, cwd=project, env=BARE) as process:
        yield process, f"http://127.0.0.1:{port}"


def test_its_commands_work(project: Path) -> None:
    assert "applied: jobs.0001_initial" in output_of(project, "manage.py", "migrate")
    assert "no problems" in output_of(project, "manage.py", "check")
    assert (project / "db.sqlite3").exists()


def test_a_new_project_beside_it_works(project: Path, tmp_path: Path) -> None:
    """The path itself is shown, and pasted."""
    output = output_of(tmp_path, "-m", "fastforge", "startproject", "shop", "mein Läden")
    assert "wrote mein L" in output
    assert (tmp_path / "mein Läden" / "manage.py").exists()


def test_it_serves(server: tuple[Process, str]) -> None:
    process, address = server
    answer = wait_until(
        lambda: process.alive and fetch(f"{address}/openapi.json"), describe=process
    )
    assert answer and answer.status == 200
    process.interrupt()
    assert process.wait() == 0, process


def test_its_tests_pass(project: Path) -> None:
    """Also where pytest-asyncio is installed, as here, which warns of a setting it would like."""
    assert "3 passed" in output_of(project, "-m", "pytest", "-q")
