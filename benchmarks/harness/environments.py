"""Environments: what only a benchmark compares with, installed apart from fastforge's own."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Final

__all__ = ["python_with"]

FOLDER: Final = Path(__file__).resolve().parents[2] / ".cache" / "benchmarks"


def python_with(*requirements: str, python: str = sys.executable) -> Path:
    """Return the Python of an environment that has these packages; made once and kept.

    Args:
        requirements: As pip takes them, with exact versions.
        python: What the environment is made with.
    """
    asked = [python, "-c", "import sys; print(sys.version)"]
    version = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    name = hashlib.sha256("\n".join((version, *requirements)).encode()).hexdigest()[:16]
    folder = FOLDER / name
    made, complete = folder / "bin" / "python", folder / "complete"
    if not complete.exists():
        subprocess.run([python, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(made), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run([*pip, *requirements], check=True)
        complete.touch()
    return made
