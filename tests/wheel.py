"""The wheel that people install, built from the tree without a network."""

from __future__ import annotations

import sys
from pathlib import Path

from .processes import run
from .source import ROOT

__all__ = ["build_wheel"]


def build_wheel(folder: Path) -> Path:
    """Build the wheel into a folder."""
    built = run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        deadline_s=300,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = folder.glob("fastforge_framework-*-py3-none-any.whl")
    return path
