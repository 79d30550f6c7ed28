"""The source of a project's own apps, for checks that read it."""

from __future__ import annotations

import ast
import importlib.util
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..._modules import find_module
from ...apps.folders import is_own
from ...checks.runner import once_a_run
from ...components import top_level_names
from ...exceptions import Location
from . import OURS

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["AppModule", "own_modules", "package_modules", "read_module", "where_named"]

LEFT: Final = frozenset({"__pycache__", "migrations", "node_modules"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AppModule:
    """A file of the project's own, as it is written."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def package(self) -> str:
        """The package that its relative imports begin at."""
        return self.name if self.path.stem == "__init__" else self.name.rpartition(".")[0]


def own_modules(project: Project) -> tuple[AppModule, ...]:
    """Return the modules of the apps that belong to the project, migrations left out.

    None is imported, and each is given once, also where one app lies in another. One that is not
    Python, or that is no text, is left to those who load it. They are read once in a run of checks.
    """
    return _read(project).of_apps


def package_modules(project: Project) -> tuple[AppModule, ...]:
    """Return the other modules of the package that holds the settings, read once as well."""
    return _read(project).others


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    of_apps: tuple[AppModule, ...]
    others: tuple[AppModule, ...]


@once_a_run
def _read(project: Project) -> _Read:
    seen: set[Path] = set()
    of_apps = tuple(_of_apps(project, seen))
    return _Read(of_apps=of_apps, others=tuple(_of_package(project, seen)))


def _of_apps(project: Project, seen: set[Path]) -> Iterator[AppModule]:
    for app in project.apps:
        spec = None if app.name.startswith(OURS) else importlib.util.find_spec(app.name)
        for folder in (spec.submodule_search_locations if spec else None) or ():
            if is_own(project.settings, folder):
                yield from _modules(app.name, Path(folder), seen)


def _of_package(project: Project, seen: set[Path]) -> Iterator[AppModule]:
    spec = find_module(project.name) if "." in project.settings.module else None
    for folder in (spec.submodule_search_locations if spec else None) or ():
        if is_own(project.settings, folder):
            yield from _modules(project.name, Path(folder), seen)


def where_named(module: str, name: str) -> Location | None:
    """Return where an imported module gives a name to something; its first line if it is hidden."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        return None
    return Location(file, top_level_names(Path(file).read_bytes()).get(name, 1))


def read_module(name: str, path: Path) -> AppModule | None:
    """Read one module; None for what is not Python, or not there."""
    try:
        return AppModule(name=name, path=path, tree=ast.parse(path.read_bytes(), str(path)))
    except (SyntaxError, ValueError, OSError):
        return None


def _modules(package: str, folder: Path, seen: set[Path]) -> Iterator[AppModule]:
    for path in _python_files(folder):
        if path in seen:
            continue
        seen.add(path)
        parts = path.relative_to(folder).with_suffix("").parts
        names = parts[:-1] if parts[-1] == "__init__" else parts
        module = read_module(".".join((package, *names)), path)
        if module is not None:
            yield module


def _python_files(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        # What cannot be imported is not walked through: environments, packages of JavaScript.
        folders[:] = sorted(each for each in folders if each.isidentifier() and each not in LEFT)
        yield from (Path(parent, each) for each in sorted(files) if each.endswith(".py"))
