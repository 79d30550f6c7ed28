"""The settings module: found, run once under a recording, and read into raw values."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from .._utils import failing_line, import_hint, told
from ..exceptions import ErrorGroup, ForgeError, Location, SettingsError
from .environment import Environment, read_environment
from .finding import nearest_pyproject
from .recording import Recording, recording
from .source import Assignment, SettingsSource, read_source

__all__ = ["RawSettings", "read_settings_module"]

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
    overridden: frozenset[str] = frozenset()
    """The names whose values `overriding` gave, in place of the settings module."""

    def location(self, name: str) -> Location | None:
        """Return where a name was written."""
        found = self.assignment(name)
        return found.location if found else None

    def assignment(self, name: str) -> Assignment | None:
        """Return the statement that gives a name its value; None for an overridden one."""
        return None if name in self.overridden else self.source.assignments.get(name)

    def overriding(self, values: Mapping[str, Any]) -> RawSettings:
        """Return a copy with other values, as if they stood in the settings module."""
        return replace(
            self,
            values={**self.values, **values},
            overridden=self.overridden.union(values),
        )

    def entry_location(self, name: str, index: int) -> Location | None:
        """Return where an entry of a list was written, or the list when that is unknown.

        Args:
            name: That of the setting: INSTALLED_APPS.
            index: Which entry.
        """
        found = self.assignment(name)
        if found is None or index < 0:
            return None
        return found.entry_location(index, len(self.values[name]))


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
    pyproject = nearest_pyproject(file.parent)
    if pyproject is not None:
        return pyproject.parent
    return file.parents[source.modules[-1].count(".")]
