"""The command line works wherever it is called: no home, no terminal, no UTF-8, odd folders."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.folder import ProjectFolder
from tests.processes import clean_environment

COMMAND = """
    \"\"\"Zähle 語.\"\"\"
    from fastforge.commands import Context, command

    @command(starts="project")
    def count(context: Context) -> None:
        context.echo("語 → ä")
        print("語 → ä")
        raise RuntimeError("語")
    """

UTF_8 = {"LC_ALL": "C"}
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
LATIN_1 = {"LC_ALL": "C", "PYTHONIOENCODING": "latin-1"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project whose path and texts are not plain ASCII."""
    path = tmp_path / "mein Läden"
    path.mkdir()
    ProjectFolder(path).write(
        {
            "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n# ä 語\n',
            ".env": "FASTFORGE_ENV=development\nTITLE=ä 語\n",
            "shop/settings.py": """
                from fastforge.conf import env

                INSTALLED_APPS = ["shop.notes"]
                SECRET_KEY = "k8Zq1vN0yT-4sWbJm7RcXo2LhUfEa9Gd"
                _TITLE = env("TITLE")
                """,
            "shop/notes/commands/count.py": COMMAND,
            "shop/notes/__init__.py": "",
        }
    )
    return path


def type_in(
    folder: Path, variables: Mapping[str, str], *arguments: str
) -> subprocess.CompletedProcess[bytes]:
    """Call the command line without a home and without a terminal."""
    inherited = clean_environment()
    gone = [name for name in inherited if name.startswith("LC_") or name in ("HOME", "LANGUAGE")]
    kept = {name: value for name, value in inherited.items() if name not in gone}
    return subprocess.run(
        [sys.executable, "-m", "fastforge", *arguments],
        cwd=folder,
        env=kept | {"LANG": "C"} | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "arguments", [["--help"], ["check"], ["settings"], ["inspect", "--json"], ["completion", "zsh"]]
)
def test_it_works(arguments: list[str], folder: Path) -> None:
    result = type_in(folder, ASCII, *arguments)
    assert (result.returncode, result.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("variables", "encoding"), [(UTF_8, "utf-8"), (ASCII, "ascii"), (LATIN_1, "latin-1")]
)
def test_what_the_output_cannot_show_is_escaped(
    variables: dict[str, str], encoding: str, folder: Path
) -> None:
    result = type_in(folder, variables, "count")
    assert result.returncode == 1
    shown = "語 → ä".encode(encoding, errors="backslashreplace")
    assert shown in result.stdout.splitlines()
    assert b"[management.E010] shop/notes/commands/count.py:8: RuntimeError: " in result.stderr


def test_a_project_is_written_in_such_a_folder(folder: Path) -> None:
    result = type_in(folder, ASCII, "startproject", "laden")
    assert (result.returncode, result.stderr) == (0, b"")
    assert (folder / "laden" / "manage.py").is_file()
    result = type_in(folder / "laden", ASCII, "check")
    assert (result.returncode, result.stderr) == (0, b"")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_empty(closed: str, folder: Path) -> None:
    """What a child process writes, and what is read, goes nowhere; no file takes their place."""
    code = "import os; assert [os.fstat(n) for n in range(3)]; print(1); open('done', 'w').close()"
    command = f'"$@" {closed}'
    program = [sys.executable, "-m", "fastforge", "shell", "-c", code]
    done = subprocess.run(
        ["sh", "-c", command, "sh", *program], cwd=folder, env=clean_environment(), check=False
    )
    assert done.returncode == 0
    assert (folder / "done").exists()
