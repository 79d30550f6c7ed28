"""Run all tests, the long ones too, on each supported Python that is installed here.

Each version has an environment of its own, `.venv-3.11` and so on. Versions that are not here are
named, not failed: the machine that builds a release has them all. Those that are given as
arguments, `3.12` or `12`, are all that is tested, and have to be here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.environment import NEWEST, OLDEST, ROOT, runs


def main(arguments: Sequence[str] = ()) -> None:
    """Test on each version; exit with 1 when one of them failed."""
    results = {version: test_on(version) for version in chosen(arguments)}
    for minor, result in results.items():
        print(f"Python 3.{minor}: {result}")
    missed = arguments and "not installed here" in results.values()
    if missed or "failed" in results.values() or "passed" not in results.values():
        sys.exit(1)


def chosen(arguments: Sequence[str]) -> list[int]:
    """The minor versions that somebody named, in order; all that are supported when nobody did."""
    known = range(OLDEST[1], NEWEST[1] + 1)
    wrong = [each for each in arguments if each.removeprefix("3.") not in map(str, known)]
    if wrong:
        print(
            f"{', '.join(wrong)}: no Python that is supported; name some of"
            f" {', '.join(f'3.{minor}' for minor in known)}",
            file=sys.stderr,
        )
        sys.exit(2)
    named = {int(each.removeprefix("3.")) for each in arguments}
    return sorted(named) or list(known)


def test_on(minor: int) -> str:
    """Make the environment for Python 3.`minor` and run the tests in it."""
    python = find_python(minor)
    if python is None:
        return "not installed here"
    folder = ROOT / f".venv-3.{minor}"
    made = subprocess.run([python, "scripts/environment.py", str(folder)], cwd=ROOT, check=False)
    if made.returncode != 0:
        return "failed"
    tests = [f"{folder}/bin/python", "-m", "pytest", "-n", "auto", "--dist", "worksteal"]
    tested = subprocess.run([*tests, "-m", "long or not long"], cwd=ROOT, check=False)
    return "passed" if tested.returncode == 0 else "failed"


def find_python(minor: int) -> str | None:
    """An interpreter of that version: on the path, or one that pyenv keeps beside it."""
    name = f"python3.{minor}"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    kept = sorted(pyenv.glob(f"versions/3.{minor}.*/bin/{name}"))
    for candidate in (shutil.which(name), *map(str, reversed(kept))):
        if candidate and runs(candidate):
            return candidate
    return None


if __name__ == "__main__":
    main(sys.argv[1:])
