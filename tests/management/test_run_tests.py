"""`manage test` is pytest, in the environment `test`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.folder import ProjectFolder
from tests.processes import run

from .conftest import PYPROJECT, Shell

TESTS: Final = """
    import os
    from fastforge import Project

    def test_settings(request):
        assert os.environ["FASTFORGE_ENV"] == "test"
        assert Project.load().settings.environment == "test"
        print("root", request.config.rootpath)

    def test_wrong():
        assert 1 == 2
    """


@pytest.fixture
def project(tmp_path: Path) -> ProjectFolder:
    folder = ProjectFolder(tmp_path)
    folder.write(
        {
            "pyproject.toml": f"{PYPROJECT}[tool.pytest.ini_options]\naddopts = ['-q']\n",
            "src/shop/settings.py": "",
            "tests/test_shop.py": TESTS,
        }
    )
    (tmp_path / "src" / "__init__.py").unlink()
    (tmp_path / "tests" / "__init__.py").unlink()
    return folder


def pytest_of(
    project: ProjectFolder, *arguments: str, below: str = "."
) -> subprocess.CompletedProcess[str]:
    return run(
        [sys.executable, "-m", "fastforge", "test", *arguments],
        cwd=project.path / below,
        env={"FASTFORGE_ENV": "production"},
    )


def test_the_exit_code_is_pytest_s(project: ProjectFolder) -> None:
    result = pytest_of(project)
    assert result.returncode == 1
    assert "1 failed, 1 passed" in result.stdout
    assert "assert 1 == 2" in result.stdout  # rewritten, as pytest does for what it imports first


def test_every_argument_is_pytest_s(project: ProjectFolder) -> None:
    result = pytest_of(
        project, "-k", "settings", "-xs", "--color=no", "test_shop.py", below="tests"
    )
    assert result.returncode == 0, result.stdout
    assert f"root {project.path}" in result.stdout
    assert pytest_of(project, "-k", "no_such_test").returncode == 5


def test_without_pytest_there_is_one_line(
    shop: ProjectFolder, manage: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pytest", None)
    result = manage("test", "-x")
    assert (result.code, result.out) == (2, "")
    assert result.err == (
        "error: [management.E021] pytest is not installed; install it with: pip install pytest\n"
    )


def test_help_is_about_the_command(shop: ProjectFolder, manage: Shell) -> None:
    result = manage("test", "--help")
    assert result.code == 0
    assert "All arguments are pytest's own" in result.out
