"""Find in new migrations what would break a deploy while the old code still runs.

No database is asked. What is new, git tells: files that the main branch of origin does not have.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from ....commands import Context, command
from ....management.tables import as_json

if TYPE_CHECKING:
    from ....project import Project
    from ..migrations.history import History
    from ..migrations.lint.linter import Finding
    from ..migrations.lint.releases import Releases

__all__ = ["lintmigrations"]


@command(starts="project")
def lintmigrations(
    app: Annotated[str, "The label of one app; all of the project's own unless given."] = "",
    /,
    *,
    context: Context,
    all: Annotated[bool, "Look at every file, also at those that are released."] = False,
    since: Annotated[str, "Look at what is new since this branch, tag or commit."] = "",
    json: Annotated[bool, "Write JSON."] = False,
) -> int:
    """Look at the operations of new files; exit with 1 if something is found."""
    from ..migrations.lint.linter import lint
    from ..migrations.lint.releases import releases
    from ..migrations.project import project_history

    project = context.project
    history = project_history(project)
    known = None if all else releases(project.settings.root, since=since)
    chosen = _chosen(project, history, app, known)
    reasons: dict[str, str] = project.settings["SILENCED_CHECKS"]
    silenced = {check_id for check_id, reason in reasons.items() if reason.strip()}
    found = [each for each in lint(history, chosen) if each.message.id not in silenced]
    if json:
        context.echo(as_json(_document(found, chosen, known)))
    else:
        for each in found:
            context.echo(str(each.message))
        context.echo(_summary(found, chosen, known))
    return int(bool(found))


def _chosen(project: Project, history: History, app: str, known: Releases | None) -> Sequence[str]:
    from ..migrations.project import app_folders

    own = {folder.label for folder in app_folders(project) if folder.editable}
    migrations = history.of(app) if app else [each for each in history if each.label in own]
    return [each.id for each in migrations if known is None or not known.have(each.path)]


def _summary(found: Sequence[Finding], chosen: Sequence[str], known: Releases | None) -> str:
    since = f" since {known.base}" if known else ""
    if not chosen:
        return f"No migration is new{since}."
    looked = f"{_counted(len(chosen), 'migration')}{since}"
    return f"{_counted(len(found), 'finding') if found else 'Nothing found'} in {looked}."


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"


def _document(
    found: Sequence[Finding], chosen: Sequence[str], known: Releases | None
) -> dict[str, Any]:
    return {
        "since": known.base if known else None,
        "migrations": list(chosen),
        "findings": [
            {
                "id": each.message.id,
                "migration": each.migration.id,
                "text": each.message.text,
                "hint": each.message.hint,
                "where": str(each.message.where),
            }
            for each in found
        ],
    }
