"""Files of the apps that are not what they seem."""

from __future__ import annotations

import importlib.util
import pkgutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ..._utils import nearest
from ...checks import Level, Message, check
from ...commands import each_command
from ...exceptions import ForgeError, Location
from . import OURS

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["commands_can_be_loaded", "modules_are_spelt_right"]

OTHER_MODULES: Final = frozenset({"apps", "commands", "kinds", "migrations", "settings", "tests"})
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
