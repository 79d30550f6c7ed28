"""Run every benchmark, one after another, each in a process of its own.

Usage: python -m benchmarks [--json] [--quick]

The options are passed on. Ends with 1 when one of them failed; the others have run all the same.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PROGRAM = 'if __name__ == "__main__":'


def main(options: Sequence[str]) -> int:
    """Run them all: an exit code."""
    failed = [name for name in names() if run(name, options) != 0]
    for name in failed:
        print(f"benchmarks.{name} failed", file=sys.stderr)
    return 1 if failed else 0


def names() -> list[str]:
    """The modules of this folder that are programs; the others hold what these share."""
    programs = (path for path in FOLDER.glob("[!_]*.py") if PROGRAM in path.read_text())
    return sorted(path.stem for path in programs)


def run(name: str, options: Sequence[str]) -> int:
    """Run one benchmark: its exit code."""
    command = [sys.executable, "-m", f"benchmarks.{name}", *options]
    return subprocess.run(command, cwd=FOLDER.parent, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
