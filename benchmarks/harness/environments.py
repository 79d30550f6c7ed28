"""Environments: what only a benchmark compares with, installed apart from fastforge's own."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Final

__all__ = ["python_with"]

FOLDER: Final = Path(__file__).resolve().parents[2] / ".cache" / "benchmarks"


def python_with(*requirements: str) -> Path:
    """Return the Python of an environment that has these packages; made once and kept.

    Args:
        requirements: As pip takes them, with exact versions.
    """
    name = hashlib.sha256("\n".join((sys.version, *requirements)).encode()).hexdigest()[:16]
    folder = FOLDER / name
    python, complete = folder / "bin" / "python", folder / "complete"
    if not complete.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run([*pip, *requirements], check=True)
        complete.touch()
    return python
