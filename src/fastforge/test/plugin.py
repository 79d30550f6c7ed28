"""The pytest plugin: in a project of fastforge it brings the fixtures, elsewhere nothing.

A project is found by `[tool.fastforge] settings` in the `pyproject.toml` of pytest's rootdir.
`-p fastforge.test.fixtures` brings the fixtures without it.
"""

from __future__ import annotations

import tomllib
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
    try:
        text = (root / "pyproject.toml").read_text(encoding="utf-8")
        return "fastforge" in text and "settings" in tomllib.loads(text)["tool"]["fastforge"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
