"""The mistakes of everybody's first hour, each told as its golden file in `cases/` says.

A case is a story: what it is about, the `culprit` and the `fix` that have to be named, the
environment (`env`), the files that are added to a small project (`==>`), the command that is typed
(`$`) and all that it writes. `...` in the output stands for what differs between machines. The
command is forked, unless it has to be `started` to import a package of the case's own.
"""

from __future__ import annotations

import itertools
import re
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from tests.commanding import python
from tests.processes import run

CASES: Final = sorted((Path(__file__).parent / "cases").glob("*.txt"))
PROGRAMS: Final = Path(sys.executable).parent
FEWEST_CASES: Final = 25
MOST_LINES: Final = 6
SECRET: Final = "s3cret"
"""What the cases write as passwords and keys: no output may ever have it."""
TOLD: Final = re.compile(r"(error|warning): (\[[a-z_]+\.[EW]\d{3}\]) |(error|warning) \[[a-z_]+\.")
PROJECT: Final = {
    "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
    "shop/__init__.py": "",
    "shop/settings.py": "INSTALLED_APPS = []\n",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One golden file, read."""

    facts: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)
    output: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the command is given."""
        pairs = (line.partition("=") for line in self.facts.get("env", ()))
        return {"FASTFORGE_ENV": "test"} | {name: value for name, _, value in pairs}


def read(path: Path) -> Case:
    case = Case()
    lines = iter(path.read_text(encoding="utf-8").splitlines())
    for line in itertools.islice(itertools.takewhile(str.strip, lines), 1, None):
        name, _, value = line.partition(": ")
        case.facts.setdefault(name, []).append(value)
    file = ""
    for line in lines:
        if line.startswith("==> "):
            file = line.removeprefix("==> ")
            case.files[file] = ""
        elif line.startswith("$ "):
            case.command.extend(shlex.split(line.removeprefix("$ ")))
            case.output.extend(lines)
        else:
            case.files[file] += f"{line}\n"
    return case


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_mistake_is_told_in_a_few_lines_with_its_place_and_the_way_out(
    path: Path, tmp_path: Path
) -> None:
    case = read(path)
    for name, text in (PROJECT | case.files).items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.strip("\n") + "\n", encoding="utf-8")
    program, *arguments = case.command
    if "outside" in case.facts:
        (tmp_path / "pyproject.toml").unlink()

    argv = [str(PROGRAMS / program), *arguments]
    if "started" in case.facts:
        result = run(argv, cwd=tmp_path, env=case.environment)
    else:
        result = python(argv, cwd=tmp_path, env=case.environment)

    told = (result.stdout + result.stderr).splitlines()
    *expected, end = case.output
    assert_like([*told, f"exit code {result.returncode}"], [*expected, end])
    assert result.returncode != 0
    assert 1 <= len(told) <= MOST_LINES
    assert any(TOLD.match(line) for line in told)
    for named in (*case.facts["culprit"], *case.facts["fix"]):
        assert any(named in line for line in told)
    assert SECRET not in result.stdout + result.stderr


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= FEWEST_CASES


def assert_like(told: list[str], expected: list[str]) -> None:
    """Compare line by line; `...` stands for anything within a line."""
    patterns = [".*".join(map(re.escape, line.split("..."))) for line in expected]
    shown = "\n".join(told)
    assert len(told) == len(expected), shown
    for line, pattern in zip(told, patterns, strict=True):
        assert re.fullmatch(pattern, line), shown
