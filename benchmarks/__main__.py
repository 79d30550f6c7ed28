"""Run every benchmark, one after another, each in a process of its own.

Usage: python -m benchmarks [--json] [--quick]

The options are passed on. Ends with 1 when one of them failed; the others have run all the same.
"""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def main(options: Sequence[str]) -> int:
    """Run them all: an exit code."""
    failed = [name for name in names() if run(name, options) != 0]
    for name in failed:
        print(f"benchmarks.{name} failed", file=sys.stderr)
    return 1 if failed else 0


def names() -> list[str]:
    """The benchmarks: the modules of this folder; packages hold what they share."""
    found = pkgutil.iter_modules([str(FOLDER)])
    return sorted(module.name for module in found if not module.ispkg and module.name[0] != "_")


def run(name: str, options: Sequence[str]) -> int:
    """Run one benchmark: its exit code."""
    command = [sys.executable, "-m", f"benchmarks.{name}", *options]
    return subprocess.run(command, cwd=FOLDER.parent, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
