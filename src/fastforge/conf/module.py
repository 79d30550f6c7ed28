"""The settings module: found, run once under a recording, and read into raw values."""

from __future__ import annotations

import importlib
import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from .._utils import failing_line, import_hint, told
from ..exceptions import ErrorGroup, ForgeError, Location, SettingsError
from .environment import Environment, read_environment
from .recording import Recording, recording
from .source import SettingsSource, read_source

__all__ = [
    "RawSettings",
    "find_settings_module",
    "make_importable",
    "read_settings_module",
]

VARIABLE: Final = "FASTFORGE_SETTINGS_MODULE"
FREE_NAMES: Final = frozenset({"BASE_DIR"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RawSettings:
    """The upper-case names of a settings module, not yet validated.

    `errors` holds what went wrong so far; whoever validates reports it with its own.
    """

    module: str
    root: Path
    environment: Environment
    values: Mapping[str, Any]
    source: SettingsSource
    record: Recording
    errors: tuple[ForgeError, ...] = ()

    def location(self, name: str) -> Location | None:
        """Return where a name was written."""
        found = self.source.assignments.get(name)
        return found.location if found else None

    def entry_location(self, index: int) -> Location | None:
        """Return where an entry of INSTALLED_APPS was written, or the list when that is unknown."""
        found = self.source.assignments.get("INSTALLED_APPS")
        return found.key_location((index,)) if found and index >= 0 else None


def find_settings_module(start: Path, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the settings module's name, and what named it.

    `FASTFORGE_SETTINGS_MODULE`, else `[tool.fastforge] settings` in the nearest
    `pyproject.toml` at or above `start`.

    Raises:
        SettingsError: Neither is there.
    """
    if module := environ.get(VARIABLE):
        return module, VARIABLE
    pyproject = _pyproject(start)
    if pyproject and (module := _tool_table(pyproject).get("settings")):
        return str(module), f"{pyproject}"
    raise SettingsError(
        "no settings module is named",
        code="conf.E013",
        hint=f"run this in a project's folder, or set {VARIABLE}=shop.settings",
        where=str(pyproject) if pyproject else None,
    )


def read_settings_module(
    module: str, *, named_by: str, environ: Mapping[str, str] | None = None
) -> RawSettings:
    """Run a settings module and return its upper-case names, unvalidated.

    It runs anew at each load (and so do the modules that it star-imports), so that two loads
    with different environments give different values.

    Raises:
        SettingsError: It does not exist, is not Python, or fails with no other mistake noted.
        ErrorGroup: It fails after mistakes were noted: those are the cause.
    """
    source = read_source(module, named_by=named_by)
    root = _root(source)
    environment = read_environment(root, environ)
    record = Recording(environ=environment.variables, dotenv=environment.dotenv)
    with recording(record):
        loaded = _run(source, record)
    return RawSettings(
        module=module,
        root=root,
        environment=environment,
        values={name: value for name, value in vars(loaded).items() if _is_setting(name)},
        source=source,
        record=record,
        errors=(*environment.errors, *record.errors),
    )


def _is_setting(name: str) -> bool:
    return name.isupper() and not name.startswith("_") and name not in FREE_NAMES


def _run(source: SettingsSource, record: Recording) -> ModuleType:
    for name in source.modules:
        sys.modules.pop(name, None)
    try:
        return importlib.import_module(source.modules[-1])
    except ForgeError:
        raise
    except (Exception, SystemExit) as error:
        if record.errors:
            raise ErrorGroup(record.errors) from error
        raise SettingsError(
            f"the settings module fails: {told(error)}",
            code="conf.E003",
            hint=import_hint(error) or "--traceback shows all of it",
            where=failing_line(error),
        ) from error


def _root(source: SettingsSource) -> Path:
    """Return the project's folder: the nearest with a `pyproject.toml`, else above the package."""
    file = Path(source.files[-1]).resolve()
    pyproject = _pyproject(file.parent)
    if pyproject is not None:
        return pyproject.parent
    return file.parents[source.modules[-1].count(".")]


def _pyproject(start: Path) -> Path | None:
    folders = (start.resolve(), *start.resolve().parents)
    return next((f / "pyproject.toml" for f in folders if (f / "pyproject.toml").is_file()), None)


def _tool_table(pyproject: Path) -> dict[str, Any]:
    try:
        with pyproject.open("rb") as file:
            table = tomllib.load(file).get("tool", {}).get("fastforge", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"pyproject.toml is not valid TOML: {error}", code="conf.E014", where=str(pyproject)
        ) from error
    return table if isinstance(table, dict) else {}


def make_importable(start: Path) -> None:
    """Make the project at or above a folder importable, as `python manage.py` there would.

    This is the one thing that reading a project changes in its process: the project's folder,
    and its `src`, come first on `sys.path`.
    """
    pyproject = _pyproject(start)
    folder = pyproject.parent if pyproject else start
    for path in (str(folder / "src"), str(folder)):
        if os.path.isdir(path) and path not in sys.path:
            sys.path.insert(0, path)
