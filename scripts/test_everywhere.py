"""Run all tests, the long ones too, on each supported Python that is installed here.

Each version has an environment of its own, `.venv-3.11` and so on. Versions that are not here are
named, not failed: the machine that builds a release has them all.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.environment import NEWEST, OLDEST, ROOT, runs


def main() -> None:
    """Test on each version; exit with 1 when one of them failed."""
    results = {version: test_on(version) for version in range(OLDEST[1], NEWEST[1] + 1)}
    for minor, result in results.items():
        print(f"Python 3.{minor}: {result}")
    if "failed" in results.values() or "passed" not in results.values():
        sys.exit(1)


def test_on(minor: int) -> str:
    """Make the environment for Python 3.`minor` and run the tests in it."""
    python = find_python(minor)
    if python is None:
        return "not installed here"
    folder = ROOT / f".venv-3.{minor}"
    made = subprocess.run([python, "scripts/environment.py", str(folder)], cwd=ROOT, check=False)
    if made.returncode != 0:
        return "failed"
    tests = [f"{folder}/bin/python", "-m", "pytest", "-n", "auto", "-m", "long or not long"]
    tested = subprocess.run(tests, cwd=ROOT, check=False)
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
    main()
