"""The source of a project's own apps, for checks that read it."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...apps.folders import is_own
from . import OURS

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["AppModule", "own_modules"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppModule:
    """A file of one of the project's own apps."""

    name: str
    path: Path
    tree: ast.Module


def own_modules(project: Project) -> Iterator[AppModule]:
    """Yield the modules of the apps that belong to the project, migrations left out.

    None is imported. One that is not Python, or that is no text, is left to those who load it.
    """
    for app in project.apps:
        spec = None if app.name.startswith(OURS) else importlib.util.find_spec(app.name)
        for folder in (spec.submodule_search_locations if spec else None) or ():
            if is_own(project.settings, folder):
                yield from _modules(app.name, Path(folder))


def _modules(package: str, folder: Path) -> Iterator[AppModule]:
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        if "migrations" in parts:
            continue
        try:
            tree = ast.parse(path.read_bytes(), str(path))
        except (SyntaxError, ValueError, OSError):
            continue
        names = parts[:-1] if parts[-1] == "__init__" else parts
        yield AppModule(name=".".join((package, *names)), path=path, tree=tree)
