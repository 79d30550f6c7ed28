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

from ...apps.folders import is_own
from ...components import top_level_names
from ...exceptions import Location
from . import OURS

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["AppModule", "own_modules", "where_named"]

LEFT: Final = frozenset({"__pycache__", "migrations", "node_modules"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AppModule:
    """A file of one of the project's own apps."""

    name: str
    path: Path
    tree: ast.Module


def own_modules(project: Project) -> Iterator[AppModule]:
    """Yield the modules of the apps that belong to the project, migrations left out.

    None is imported, and each is given once, also where one app lies in another. One that is not
    Python, or that is no text, is left to those who load it.
    """
    seen: set[Path] = set()
    for app in project.apps:
        spec = None if app.name.startswith(OURS) else importlib.util.find_spec(app.name)
        for folder in (spec.submodule_search_locations if spec else None) or ():
            if is_own(project.settings, folder):
                yield from _modules(app.name, Path(folder), seen)


def where_named(module: str, name: str) -> Location | None:
    """Return where an imported module gives a name to something; its first line if it is hidden."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        return None
    return Location(file, top_level_names(Path(file).read_bytes()).get(name, 1))


def _modules(package: str, folder: Path, seen: set[Path]) -> Iterator[AppModule]:
    for path in _python_files(folder):
        if path in seen:
            continue
        seen.add(path)
        try:
            tree = ast.parse(path.read_bytes(), str(path))
        except (SyntaxError, ValueError, OSError):
            continue
        parts = path.relative_to(folder).with_suffix("").parts
        names = parts[:-1] if parts[-1] == "__init__" else parts
        yield AppModule(name=".".join((package, *names)), path=path, tree=tree)


def _python_files(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        # What cannot be imported is not walked through: environments, packages of JavaScript.
        folders[:] = sorted(each for each in folders if each.isidentifier() and each not in LEFT)
        yield from (Path(parent, each) for each in sorted(files) if each.endswith(".py"))
