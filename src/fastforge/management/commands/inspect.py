"""Show the apps and all that they declare.

Each line has the kind, the name, the app and the place in the source.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

from ..._utils import did_you_mean
from ...apps import AppConfig
from ...commands import Context, command
from ...conf import Setting, settings_report
from ...exceptions import CommandError, Location
from ..tables import listing

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["inspect"]

COLUMNS: Final = ("kind", "name", "app", "where")

Row = dict[str, str]


@command(starts="project")
def inspect(
    kind: Annotated[str, "One family, for example apps, settings or tasks; all unless given."] = "",
    /,
    *,
    json: Annotated[bool, "Write JSON."] = False,
    context: Context,
) -> None:
    """List the components of one kind, or of all."""
    listings = _listings(context.project)
    if kind and kind not in listings:
        raise CommandError(
            f"there is nothing of the kind {kind!r} in this project",
            code="management.E009",
            hint=did_you_mean(kind, listings) or f"it has {', '.join(listings)}",
        )
    chosen = [kind] if kind else list(listings)
    rows = (row for name in chosen for row in listings[name]())
    context.echo(listing(rows, COLUMNS, json=json))


def _listings(project: Project) -> Mapping[str, Callable[[], Iterator[Row]]]:
    return {
        "apps": partial(_apps, project),
        "commands": partial(_commands, project),
        "settings": partial(_settings, project),
        **{name: partial(_components, project, name) for name in project.registry.kinds},
    }


def _apps(project: Project) -> Iterator[Row]:
    for app in project.apps:
        yield _row("apps", app.name, app.label, _place(app))


def _place(app: AppConfig) -> Location | None:
    spec = importlib.util.find_spec(f"{app.name}.apps") or importlib.util.find_spec(app.name)
    return Location(spec.origin, 1) if spec and spec.origin else None


def _commands(project: Project) -> Iterator[Row]:
    for file in project.commands.values():
        yield _row("commands", file.name, file.app, file.location)


def _settings(project: Project) -> Iterator[Row]:
    owners = {
        declared.name if isinstance(declared, Setting) else declared.setting_name: app.label
        for app in project.apps
        for declared in app.settings
    }
    for row in settings_report(project.settings):
        yield _row("settings", row.name, owners[row.name], row.source)


def _components(project: Project, kind: str) -> Iterator[Row]:
    for component in project.registry.components(kind):
        yield _row(kind, component.name, component.app, component.location)


def _row(kind: str, name: str, app: str, where: Location | str | None) -> Row:
    return {"kind": kind, "name": name, "app": app, "where": str(where or "")}
