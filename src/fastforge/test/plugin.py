"""The pytest plugin: in a project of fastforge it brings the fixtures, elsewhere nothing.

A project is found by `[tool.fastforge] settings` in the `pyproject.toml` of pytest's rootdir, or by
`FASTFORGE_SETTINGS_MODULE`, where its package is there. `-p fastforge.test.fixtures` brings the
fixtures without either.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

__all__ = ["pytest_addoption", "pytest_configure"]

FIXTURES = "fastforge.test.fixtures"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what the command line may say."""
    parser.getgroup("fastforge").addoption(
        "--rebuild-databases",
        action="store_true",
        help="run all migrations again, also where no migration file has changed",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Bring the fixtures, where there is a project."""
    if _is_project(config.rootpath):
        config.pluginmanager.import_plugin(FIXTURES)


def _is_project(root: Path) -> bool:
    package = os.environ.get("FASTFORGE_SETTINGS_MODULE", "").partition(".")[0]
    if package and any((folder / package).is_dir() for folder in (root, root / "src")):
        return True  # and not: some project's, that this shell is used for as well
    try:
        text = (root / "pyproject.toml").read_text(encoding="utf-8")
        return "fastforge" in text and "settings" in tomllib.loads(text)["tool"]["fastforge"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
