"""The pytest plugin: in a project of fastforge it brings the fixtures, elsewhere nothing.

A project is found by `[tool.fastforge]` in the `pyproject.toml` of pytest's rootdir, or by
`FASTFORGE_SETTINGS_MODULE`. `-p fastforge.test.fixtures` brings the fixtures without either.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

__all__ = ["pytest_configure"]

FIXTURES = "fastforge.test.fixtures"


def pytest_configure(config: pytest.Config) -> None:
    """Bring the fixtures, where there is a project."""
    if _is_project(config.rootpath):
        config.pluginmanager.import_plugin(FIXTURES)


def _is_project(root: Path) -> bool:
    if os.environ.get("FASTFORGE_SETTINGS_MODULE"):
        return True
    try:
        text = (root / "pyproject.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return "[tool.fastforge]" in text
