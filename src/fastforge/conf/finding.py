"""Finding: which module holds the settings, before anything of the project is imported."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ..exceptions import SettingsError

__all__ = [
    "SETTINGS_VARIABLE",
    "find_settings_module",
    "make_importable",
    "nearest_pyproject",
    "tool_table",
]

SETTINGS_VARIABLE: Final = "FASTFORGE_SETTINGS_MODULE"


def find_settings_module(start: Path, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the settings module's name, and what named it.

    `FASTFORGE_SETTINGS_MODULE`, else `[tool.fastforge] settings` in the nearest
    `pyproject.toml` at or above `start`.

    Raises:
        SettingsError: Neither is there.
    """
    if module := environ.get(SETTINGS_VARIABLE):
        return module, SETTINGS_VARIABLE
    pyproject = nearest_pyproject(start)
    if pyproject and (module := tool_table(pyproject, "fastforge").get("settings")):
        return str(module), str(pyproject)
    raise SettingsError(
        "no settings module is named",
        code="conf.E013",
        hint=f"run this in a project's folder, or set {SETTINGS_VARIABLE}=shop.settings",
        where=str(pyproject) if pyproject else None,
    )


def make_importable(start: Path) -> None:
    """Make the project at or above a folder importable, as `python manage.py` there would.

    This is the one thing that reading a project changes in its process: the project's folder,
    and its `src`, come first on `sys.path`.
    """
    pyproject = nearest_pyproject(start)
    folder = pyproject.parent if pyproject else start
    for path in (str(folder / "src"), str(folder)):
        if os.path.isdir(path) and path not in sys.path:
            sys.path.insert(0, path)


def nearest_pyproject(start: Path) -> Path | None:
    """Return the `pyproject.toml` of a folder or of the nearest one above it."""
    folders = (start.resolve(), *start.resolve().parents)
    return next((f / "pyproject.toml" for f in folders if (f / "pyproject.toml").is_file()), None)


def tool_table(pyproject: Path, tool: str) -> dict[str, Any]:
    """Return what `pyproject.toml` has under `[tool.NAME]`; nothing where there is no such table.

    Raises:
        SettingsError: The file is not valid.
    """
    try:
        with pyproject.open("rb") as file:
            table: Any = tomllib.load(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"pyproject.toml is not valid TOML: {error}",
            code="conf.E014",
            hint="mend that line, and save the file as UTF-8",
            where=str(pyproject),
        ) from error
    for name in ("tool", tool):
        table = table.get(name) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else {}
