"""Entries: the apps of a project and all that they declare, as `manage inspect` shows it."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ..apps import AppConfig
from ..commands import each_command
from ..conf import Setting, settings_report
from ..exceptions import Location

if TYPE_CHECKING:
    from ..project import Project

__all__ = ["Entry", "entries_of"]

MIDDLEWARE: Final = "middleware"
SCHEDULES: Final = "schedules"
CHANNELS: Final = "channels"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One declared thing: what it is, whose, where, and the thing itself.

    Args:
        facts: What a list of its kind shows besides; a list in it takes a line for each.
    """

    kind: str
    name: str
    app: str
    where: str
    value: Any
    facts: Mapping[str, Any] = field(default_factory=dict)

    def row(self) -> dict[str, Any]:
        """Return the columns of the list."""
        named = {"kind": self.kind, "name": self.name, **self.facts}
        return {**named, "app": self.app, "where": self.where}


def entries_of(project: Project) -> Mapping[str, Callable[[], Iterator[Entry]]]:
    """Return the kinds of a project, each with what gives its entries."""
    return {
        "apps": partial(_apps, project),
        "commands": partial(_commands, project),
        "settings": partial(_settings, project),
        **{name: partial(_components, project, name) for name in project.registry.kinds},
        SCHEDULES: partial(_schedules, project),
        CHANNELS: partial(_channels, project),
        MIDDLEWARE: partial(_middleware, project),
    }


def _apps(project: Project) -> Iterator[Entry]:
    for app in project.apps:
        where = str(_place(app) or "")
        yield Entry(kind="apps", name=app.name, app=app.label, where=where, value=app)


def _place(app: AppConfig) -> Location | None:
    """Return where an app's AppConfig stands; the package of an app that has none."""
    config = type(app)
    if config.__module__ == f"{app.name}.apps":
        return Location(inspect.getfile(config), inspect.getsourcelines(config)[1])
    spec = importlib.util.find_spec(app.name)
    return Location(spec.origin, 1) if spec and spec.origin else None


def _commands(project: Project) -> Iterator[Entry]:
    for file in each_command(project.commands):
        where = str(file.location)
        yield Entry(kind="commands", name=file.name, app=file.app, where=where, value=file)


def _settings(project: Project) -> Iterator[Entry]:
    owners = {
        declared.name if isinstance(declared, Setting) else declared.setting_name: app.label
        for app in project.apps
        for declared in app.settings
    }
    for row in settings_report(project.settings):
        app = owners[row.name]
        yield Entry(kind="settings", name=row.name, app=app, where=row.source, value=row)


def _middleware(project: Project) -> Iterator[Entry]:
    """Yield the layers of the application that is served, in order: not each is a component."""
    from .served import served_application  # the application is built, which no other kind needs
    from .stack import passed_layers

    for each in passed_layers(served_application(project), project):
        yield Entry(kind=MIDDLEWARE, name=each.name, app=each.app, where=each.where, value=each)


def _schedules(project: Project) -> Iterator[Entry]:
    from .schedule_facts import schedule_facts

    now = datetime.now(UTC)
    for entry in _components(project, SCHEDULES):
        yield replace(entry, facts=schedule_facts(entry.value, project.settings, now))


def _channels(project: Project) -> Iterator[Entry]:
    from .channels import channel_facts

    for entry in _components(project, CHANNELS):
        yield replace(entry, facts=channel_facts(entry.value))


def _components(project: Project, kind: str) -> Iterator[Entry]:
    for component in project.registry.components(kind):
        yield Entry(
            kind=kind,
            name=component.name,
            app=component.app,
            where=str(component.location),
            value=component.value,
        )
