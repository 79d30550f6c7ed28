"""List the migrations of each app and whether the database has them."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, Any

from ....commands import Context, command
from ....management.tables import as_json

if TYPE_CHECKING:
    from ..migrations.history import History

__all__ = ["showmigrations"]


@command(starts="project")
async def showmigrations(
    app: Annotated[str, "The label of one app; all apps unless given."] = "",
    /,
    *,
    context: Context,
    database: Annotated[str, "The database's name in DATABASES."] = "default",
    json: Annotated[bool, "Write JSON."] = False,
) -> None:
    """Show [X] before each migration that the database has, [ ] before the others."""
    from ..migrations import ledger
    from ..migrations.plan import ahead
    from ..migrations.project import ledger_engines, project_history

    history = project_history(context.project)
    labels = [app] if app else list(history.labels)
    for label in labels:
        history.of(label)
    async with ledger_engines(context.project, name=database) as engines:
        applied = await ledger.read(engines)
    unknown = [item for item in ahead(history, applied) if item.partition(".")[0] in labels]
    if json:
        context.echo(as_json(_document(history, labels, applied, unknown)))
        return
    for label in labels:
        for line in _lines(history, label, applied, unknown, even_empty=bool(app)):
            context.echo(line)


def _lines(
    history: History,
    label: str,
    applied: Collection[str],
    unknown: Collection[str],
    *,
    even_empty: bool,
) -> list[str]:
    own = [
        f" [{'X' if migration.id in applied else ' '}] {migration.name}"
        for migration in history.of(label)
    ]
    own += [
        f" [X] {item.partition('.')[2]} (this code has no such file)"
        for item in unknown
        if item.startswith(f"{label}.")
    ]
    if own:
        return [label, *own]
    return [label, " (no migrations)"] if even_empty else []


def _document(
    history: History, labels: Collection[str], applied: Collection[str], unknown: Collection[str]
) -> dict[str, Any]:
    return {
        "migrations": [
            {
                "app": migration.label,
                "name": migration.name,
                "applied": migration.id in applied,
                "summary": migration.summary,
            }
            for migration in history
            if migration.label in labels
        ],
        "unknown": list(unknown),
    }
