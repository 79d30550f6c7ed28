"""What `make` runs before anything is installed: one line when something is missing."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from scripts import ensure_services, environment, test_everywhere
from tests import services

from .processes import ROOT, run


def test_without_apt_or_root_nothing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert environment.install_packages("anything") is False


def test_a_user_without_sudo_installs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text("#!/bin/sh\nexit 0\n")
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert environment.install_packages("anything") is False


def test_a_shim_that_does_not_start_is_not_an_interpreter(tmp_path: Path) -> None:
    shim = tmp_path / "python3.12"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    assert environment.runs(sys.executable)
    assert not environment.runs(str(shim))
    assert not environment.runs(str(tmp_path / "missing"))


def test_the_interpreter_of_this_run_is_found() -> None:
    assert test_everywhere.find_python(sys.version_info.minor) is not None


def test_the_long_tests_run_on_the_versions_that_are_named_or_on_all(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[int] = []

    def test_on(minor: int) -> str:
        asked.append(minor)
        return "not installed here" if minor == 12 else "passed"

    monkeypatch.setattr(test_everywhere, "test_on", test_on)
    test_everywhere.main([])  # who asks for none in particular takes those that are here
    assert asked == [11, 12, 13, 14]
    asked.clear()
    test_everywhere.main(["14", "3.11", "3.14"])
    assert asked == [11, 14]
    with pytest.raises(SystemExit) as missed:
        test_everywhere.main(["3.12", "3.13"])
    assert missed.value.code == 1
    asked.clear()
    with pytest.raises(SystemExit) as refused:
        test_everywhere.main(["3.13", "3.9", "x"])
    assert (refused.value.code, asked) == (2, [])
    assert capsys.readouterr().err == (
        "3.9, x: no Python that is supported; name some of 3.11, 3.12, 3.13, 3.14\n"
    )


def test_missing_servers_are_one_line_each_and_an_address_replaces_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(services, "POSTGRES_FOLDERS", ())
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:6379/9")
    with pytest.raises(SystemExit, match=r"\Athe tests need a real postgres server: .*\Z"):
        ensure_services.main()
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody@127.0.0.1/postgres")
    ensure_services.main()


@pytest.mark.parametrize("exit_code", [0, 100])
def test_missing_servers_are_installed_at_once_and_one_that_cannot_be_keeps_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exit_code: int
) -> None:
    log = tmp_path / "log"
    apt = tmp_path / "apt-get"
    apt.write_text(f'#!/bin/sh\necho "$@" >> {log}\nexit {exit_code}\n')
    apt.chmod(0o755)
    (tmp_path / "env").symlink_to("/usr/bin/env")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(services, "POSTGRES_FOLDERS", ())
    with pytest.raises(SystemExit, match=r"\Athe tests need a real postgres .*\n.* redis .*\Z"):
        ensure_services.main()
    installs = [line for line in log.read_text().splitlines() if "install" in line]
    expected = [["postgresql", "redis-server"]]
    if exit_code:
        expected += [["postgresql"], ["redis-server"]]
    assert [line.split()[3:] for line in installs] == expected


def test_scripts_start_on_a_bare_python() -> None:
    """They run before the environment exists: only the standard library is there."""
    program = (
        "import runpy, sys; sys.argv = ['x']; "
        "runpy.run_path('scripts/environment.py'); runpy.run_path('scripts/ensure_services.py')"
    )
    result = run([sys.executable, "-I", "-S", "-c", program], cwd=ROOT)
    assert (result.returncode, result.stderr) == (0, "")


def test_every_benchmark_is_run_and_a_failure_told_at_the_end(tmp_path: Path) -> None:
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    shutil.copy(ROOT / "benchmarks" / "__main__.py", folder)
    (folder / "__init__.py").touch()
    program = 'import sys\nif __name__ == "__main__":\n    '
    (folder / "broken.py").write_text(f"{program}raise SystemExit(3)")
    (folder / "shared.py").write_text("raise SystemExit('not a benchmark')")
    (folder / "startup.py").write_text(f"{program}print('ran', *sys.argv[1:])")
    result = run([sys.executable, "-m", "benchmarks", "--quick"], cwd=tmp_path)
    assert result.returncode == 1
    assert result.stdout == "ran --quick\n"
    assert result.stderr == "benchmarks.broken failed\n"
