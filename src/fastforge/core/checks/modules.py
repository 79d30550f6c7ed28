"""Files of the apps that are not what they seem."""

from __future__ import annotations

import importlib.util
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..._utils import nearest
from ...checks import Level, Message, check
from ...commands import each_command
from ...exceptions import ForgeError, Location
from . import OURS
from .served import served

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["apps_are_installed", "commands_can_be_loaded", "modules_are_spelt_right"]

OTHER_MODULES: Final = frozenset({"apps", "commands", "kinds", "migrations", "settings", "tests"})
FILES_OF_AN_APP: Final = frozenset({"channels", "models", "routes", "tasks"})
"""Which of the searched modules hardly anything but an app has."""

MOST_LETTERS: Final = 2
"""By how many letters a misspelt name is longer or shorter."""


@check(tags={"apps", "commands"})
def commands_can_be_loaded(project: Project) -> Iterator[Message]:
    """Find the files of commands that are listed and cannot be run."""
    for command in each_command(project.commands):
        if command.module.startswith(OURS):
            continue
        try:
            command.load()
        except ForgeError as error:
            yield Message(
                id="core.E004",
                level=Level.ERROR,
                text=f"[{error.code}] {error.message}",
                hint=error.hint,
                where=error.where if isinstance(error.where, Location) else command.location,
            )


@check(tags={"apps"})
def modules_are_spelt_right(project: Project) -> Iterator[Message]:
    """Warn of `task.py` where `tasks.py` would be searched: it is silently not read."""
    searched = {kind.module for kind in project.registry.kinds.values()}
    apps = {app.name for app in project.apps}
    for app in apps:
        if app.startswith(OURS):
            continue
        names = dict(_module_names(app))
        for name, location in names.items():
            near = _misspelt(name, searched)
            if near is None or near in names or f"{app}.{name}" in apps:
                continue
            yield Message(
                id="core.W001",
                level=Level.WARNING,
                text=f"{app}.{name} is not searched for components",
                hint=f"rename it to {near}.py if that is what it is",
                where=location,
            )


@check(tags={"apps"})
def apps_are_installed(project: Project) -> Iterator[Message]:
    """Warn of a folder beside the apps that looks like one, is none, and is imported by nobody."""
    served(project)  # imports what an application of the project's own imports
    for name, folder in _folders_beside(project):
        files = sorted(FILES_OF_AN_APP & {file.stem for file in folder.glob("*.py")})
        if not files or any(module.startswith(f"{name}.") for module in sys.modules):
            continue
        yield Message(
            id="core.W008",
            level=Level.WARNING,
            text=f"{name} looks like an app, and INSTALLED_APPS does not name it",
            hint=f'add "{name}", or silence this where it is none',
            where=Location(f"{folder}/{files[0]}.py", 1),
        )


def _folders_beside(project: Project) -> Iterator[tuple[str, Path]]:
    """Yield the packages in those of the settings and of the project's apps that are no apps."""
    apps = {app.name for app in project.apps}
    parents = {project.settings.module, *(app for app in apps if not app.startswith(OURS))}
    for parent in sorted({name.rpartition(".")[0] for name in parents} - apps - {""}):
        spec = importlib.util.find_spec(parent)
        for place in (spec.submodule_search_locations if spec else None) or ():
            if not Path(place).is_relative_to(project.settings.root):
                continue
            for folder in sorted(Path(place).iterdir()):
                name = f"{parent}.{folder.name}"
                if folder.is_dir() and name not in apps and folder.name not in OTHER_MODULES:
                    yield name, folder


def _misspelt(name: str, searched: set[str]) -> str | None:
    if name in searched | OTHER_MODULES:
        return None
    near = nearest(name, searched, likeness=0.85)  # `notes` is no `notices`
    # Nor is `shell` the beginning of `shell_names`.
    return near if near and abs(len(near) - len(name)) <= MOST_LETTERS else None


def _module_names(package: str) -> Iterator[tuple[str, Location]]:
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations if spec else None) or ():
        for module in pkgutil.iter_modules([folder]):
            file = f"{folder}/{module.name}" + ("/__init__.py" if module.ispkg else ".py")
            yield module.name, Location(file, 1)
