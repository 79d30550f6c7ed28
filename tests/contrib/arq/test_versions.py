"""The newest redis-py: arq asks for one below 6, and what is ours runs on both."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT, clean_environment, run

TESTS = ("tests/contrib/arq/test_wire.py", "tests/contrib/redis/test_client.py")
ALL_TESTS = (*TESTS, "tests/contrib/arq/test_backend.py", "tests/contrib/redis")
SAID = "import redis; print(redis.__version__)"


@pytest.fixture(scope="module")
def newest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the newest redis-py alone: arq's bound would not let it be installed."""
    folder = tmp_path_factory.mktemp("newest")
    argv = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    done = run([*argv, str(folder), "redis"], deadline_s=300)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("tests", [TESTS, pytest.param(ALL_TESTS, marks=pytest.mark.long)])
def test_the_newest_client_does_the_same(newest: Path, tests: tuple[str, ...]) -> None:
    variables = {"PYTHONPATH": f"{newest}{os.pathsep}{clean_environment()['PYTHONPATH']}"}
    said = run([sys.executable, "-c", SAID], env=variables)
    assert int(said.stdout.partition(".")[0]) >= 8, said.stderr
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0"]
    done = run([*argv, "-x", *tests], cwd=ROOT, env=variables, deadline_s=500)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert "skipped" not in done.stdout
