"""Show the apps and all that they declare.

Each line has the kind, the name, the app and the place in the source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

from ..._utils import did_you_mean
from ...apps import AppConfig
from ...commands import Context, command
from ...conf import settings_report
from ...exceptions import CommandError, Location
from ..tables import as_json, table

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["inspect"]

COLUMNS = ("kind", "name", "app", "where")

Row = dict[str, str]


@command(starts="project")
def inspect(
    kind: Annotated[str, "One family: apps, commands, settings, routers, tasks, ..."] = "",
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
    rows = [row for name in chosen for row in listings[name]()]
    if json:
        context.echo(as_json(rows))
    else:
        cells = ([row[column] for column in COLUMNS] for row in rows)
        context.echo(table([column.upper() for column in COLUMNS], cells))


def _listings(project: Project) -> Mapping[str, Callable[[], Iterator[Row]]]:
    listings: dict[str, Callable[[], Iterator[Row]]] = {
        "apps": lambda: _apps(project),
        "commands": lambda: _commands(project),
        "settings": lambda: _settings(project),
    }
    for name in project.registry.kinds:
        listings[name] = lambda name=name: _components(project, name)  # type: ignore[misc]
    return listings


def _apps(project: Project) -> Iterator[Row]:
    for app in project.apps:
        yield {"kind": "apps", "name": app.name, "app": app.label, "where": _place(app)}


def _place(app: AppConfig) -> str:
    import sys

    module = sys.modules.get(type(app).__module__)
    package = sys.modules.get(app.name)
    home = module if module and module.__name__ == f"{app.name}.apps" else package
    file = getattr(home, "__file__", None)
    return str(Location(file, 1)) if file else ""


def _commands(project: Project) -> Iterator[Row]:
    for file in project.commands.values():
        where = str(file.location)
        yield {"kind": "commands", "name": file.name, "app": file.app, "where": where}


def _settings(project: Project) -> Iterator[Row]:
    owners = {
        getattr(declared, "setting_name", None) or declared.name: app.label  # type: ignore[union-attr]
        for app in project.apps
        for declared in app.settings
    }
    for row in settings_report(project.settings):
        app = owners.get(row.name, "")
        yield {"kind": "settings", "name": row.name, "app": app, "where": row.source}


def _components(project: Project, kind: str) -> Iterator[Row]:
    for component in project.registry.components(kind):
        yield {
            "kind": component.kind,
            "name": component.name,
            "app": component.app,
            "where": str(component.location),
        }
