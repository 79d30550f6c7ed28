"""Files of the apps that are not what they seem."""

from __future__ import annotations

import importlib.util
import pkgutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ..._utils import nearest
from ...checks import Level, Message, check
from ...exceptions import ForgeError, Location
from . import OURS

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["commands_can_be_loaded", "modules_are_spelt_right"]

OTHER_MODULES: Final = frozenset({"apps", "commands", "kinds", "migrations", "settings", "tests"})


@check(tags={"apps", "commands"})
def commands_can_be_loaded(project: Project) -> Iterator[Message]:
    """Find the files of commands that are listed and cannot be run."""
    for command in project.commands.values():
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
    for app in project.apps:
        if app.name.startswith(OURS):
            continue
        names = dict(_module_names(app.name))
        for name, location in names.items():
            near = nearest(name, searched, likeness=0.8)
            if name in searched | OTHER_MODULES or near is None or near in names:
                continue
            yield Message(
                id="core.W001",
                level=Level.WARNING,
                text=f"{app.name}.{name} is not searched for components",
                hint=f"rename it to {near}.py if that is what it is",
                where=location,
            )


def _module_names(package: str) -> Iterator[tuple[str, Location]]:
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations if spec else None) or ():
        for module in pkgutil.iter_modules([folder]):
            file = f"{folder}/{module.name}" + ("/__init__.py" if module.ispkg else ".py")
            yield module.name, Location(file, 1)
