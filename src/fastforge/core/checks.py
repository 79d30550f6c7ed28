"""The framework's own checks."""

from __future__ import annotations

import importlib.util
import pkgutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from fastapi import FastAPI

from .._utils import nearest
from ..checks import Level, Message, check
from ..exceptions import ErrorGroup, ForgeError, Location
from ..tasks.backend import backend_hint
from ..tasks.kinds import TASK_BACKENDS, TASKS
from ..tasks.settings import Tasks
from ..web.kinds import ROUTERS
from ..web.middleware import Middleware
from ..web.routing import mount_routers

if TYPE_CHECKING:
    from ..project import Project

__all__ = [
    "application_can_be_built",
    "commands_can_be_loaded",
    "debug_is_off",
    "modules_are_spelt_right",
    "secret_key_is_long",
    "silences_have_reasons",
    "tasks_have_a_backend",
]

SECRET_KEY_MIN_BYTES: Final = 32
OTHER_MODULES: Final = frozenset({"apps", "commands", "kinds", "migrations", "settings", "tests"})
OURS: Final = f"{__name__.partition('.')[0]}."
"""How the names of our own modules begin: they have no mistakes that a user could mend."""


@check
def application_can_be_built(project: Project) -> Iterator[Message]:
    """Find the routes and the middleware that the server would refuse at its start."""
    for error in (*_refused_routes(project), *_refused_middleware(project)):
        yield Message(
            id="core.E003",
            level=Level.ERROR,
            text=f"[{error.code}] {error.message}",
            hint=error.hint,
            where=_location(error) or project.settings.where("MIDDLEWARE"),
        )


@check
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
                where=_location(error) or command.location,
            )


@check
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


@check(deploy=True)
def secret_key_is_long(project: Project) -> Iterator[Message]:
    """Refuse to sign with a key that can be guessed."""
    if len(project.settings["SECRET_KEY"].encode()) < SECRET_KEY_MIN_BYTES:
        yield Message(
            id="core.E001",
            level=Level.ERROR,
            text=f"SECRET_KEY is shorter than {SECRET_KEY_MIN_BYTES} bytes",
            hint='make one with: python -c "import secrets; print(secrets.token_urlsafe(48))"',
            where=project.settings.where("SECRET_KEY"),
        )


@check(deploy=True)
def debug_is_off(project: Project) -> Iterator[Message]:
    """Refuse to show the insides of a production process."""
    if project.settings.debug:
        yield Message(
            id="core.E002",
            level=Level.ERROR,
            text="DEBUG is on",
            hint="set FASTFORGE_ENV=production, or DEBUG = False",
            where=project.settings.where("DEBUG"),
        )


@check
def silences_have_reasons(project: Project) -> Iterator[Message]:
    """Ask for the reason of every silenced check."""
    for check_id, reason in project.settings["SILENCED_CHECKS"].items():
        if not reason.strip():
            yield Message(
                id="core.W002",
                level=Level.WARNING,
                text=f"SILENCED_CHECKS gives no reason for {check_id}",
                hint="write why it does not matter here",
                where=project.settings.where("SILENCED_CHECKS"),
            )


@check
def tasks_have_a_backend(project: Project) -> Iterator[Message]:
    """Find tasks that can be enqueued nowhere."""
    name = project.settings.section(Tasks).backend
    backends = {backend.name for backend in project.registry.values(TASK_BACKENDS)}
    for component in project.registry.components(TASKS)[:1]:
        if name not in backends:
            yield Message(
                id="tasks.E020",
                level=Level.ERROR,
                text=f"the project has tasks, but no installed app declares the backend {name!r}",
                hint=backend_hint(name),
                where=project.settings.where("TASKS") or component.location,
            )


def _refused_routes(project: Project) -> tuple[ForgeError, ...]:
    prefixes = {app.label: app.prefix for app in project.apps}
    try:
        mount_routers(FastAPI(), project.registry.components(ROUTERS), prefixes)
    except ErrorGroup as group:
        return group.errors
    except ForgeError as error:
        return (error,)
    return ()


def _refused_middleware(project: Project) -> Iterator[ForgeError]:
    for entry in project.settings["MIDDLEWARE"]:  # that of the apps was validated when loaded
        try:
            Middleware.of(entry).validate()
        except ForgeError as error:
            yield error


def _location(error: ForgeError) -> Location | None:
    return error.where if isinstance(error.where, Location) else None


def _module_names(package: str) -> Iterator[tuple[str, Location]]:
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations if spec else None) or ():
        for module in pkgutil.iter_modules([folder]):
            file = f"{folder}/{module.name}" + ("/__init__.py" if module.ispkg else ".py")
            yield module.name, Location(file, 1)
