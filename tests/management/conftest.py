"""A project in a temporary folder, and the command line called in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fastforge.management.cli import run
from tests.folder import ProjectFolder, isolated

PYPROJECT = '[tool.fastforge]\nsettings = "shop.settings"\n'


@dataclass(frozen=True, slots=True)
class Result:
    """What one call gave."""

    code: int
    out: str
    err: str


class Shell:
    """Calls the command line inside this process, as `manage`."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Result:
        self._capsys.readouterr()
        code = run(arguments, program="manage")
        return Result(code, *self._capsys.readouterr())


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder, the working directory."""
    for name in ("FASTFORGE_SETTINGS_MODULE", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FASTFORGE_ENV", "test")
    monkeypatch.setenv("FASTFORGE_TRACEBACK", "")  # what `--traceback` sets ends with the test
    monkeypatch.chdir(tmp_path)
    with isolated(tmp_path):
        (tmp_path / "pyproject.toml").unlink()
        yield tmp_path


@pytest.fixture
def shop(nowhere: Path) -> ProjectFolder:
    """A project with one empty app, `shop.notes`, the working directory."""
    folder = ProjectFolder(nowhere)
    folder.write(
        {
            "pyproject.toml": PYPROJECT,
            "shop/settings.py": 'INSTALLED_APPS = ["shop.notes"]\n',
            "shop/notes/__init__.py": "",
        }
    )
    return folder


@pytest.fixture
def manage(capsys: pytest.CaptureFixture[str]) -> Shell:
    """The command line."""
    return Shell(capsys)
