"""Write migration files for what changed in the models."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from ....commands import Context, command
from ....exceptions import CommandError, ErrorGroup

if TYPE_CHECKING:
    from ....project import Project
    from ..migrations.answers import Answers
    from ..migrations.folders import AppFolder
    from ..migrations.history import History
    from ..migrations.writer import NewMigration

__all__ = ["makemigrations"]


@command(starts="project")
def makemigrations(
    app: Annotated[str, "The label of one app; all of the project's own unless given."] = "",
    /,
    *,
    context: Context,
    check: Annotated[bool, "Write nothing; exit with 1 if a file is missing."] = False,
    dry_run: Annotated[bool, "Show the files in place of writing them."] = False,
    name: Annotated[str, "The name for the file, after its number."] = "",
    empty: Annotated[bool, "Write a file without operations, to fill in by hand."] = False,
    merge: Annotated[bool, "Join the last migrations of an app that has several."] = False,
    renamed: Annotated[bool, "What looks renamed was renamed."] = False,
    not_renamed: Annotated[bool, "What looks renamed was dropped and made anew."] = False,
    fill: Annotated[
        list[str], "TABLE.COLUMN=SQL: what rows get in a column that nothing else fills."
    ] = [],  # noqa: B006
) -> int:
    """Compare the models with the migration files and write what is missing."""
    from ..migrations.answers import Answers
    from ..migrations.files import load_history
    from ..migrations.project import app_folders

    if empty and merge:
        raise CommandError("--empty and --merge exclude each other", code="db.E141")
    answers = Answers.of(
        renamed=renamed,
        not_renamed=not_renamed,
        fill=fill,
        interactive=not check and sys.stdin.isatty(),
    )
    folders = app_folders(context.project)
    history = load_history(folders, conflicting=merge)
    chosen = _chosen(folders, app, history)
    if merge:
        new = _merging(history, chosen, name)
    elif empty:
        new = _empty(history, chosen, app, name)
    else:
        new = _missing(context.project, history, chosen, answers, name)
    if new:
        return _report(context, new, check=check, dry_run=dry_run)
    context.echo("No app has several last migrations." if merge else "No changes in the models.")
    if not merge:
        _tell_of_forgotten_apps(context)
    return 0


def _tell_of_forgotten_apps(context: Context) -> None:
    """Say what else may be the cause: models that no installed app has are in nobody's files."""
    from ....checks import run_checks

    for message in run_checks(context.project, tags=["apps"]):
        if message.id == "core.W008":
            context.echo(str(message))


def _chosen(folders: tuple[AppFolder, ...], app: str, history: History) -> list[AppFolder]:
    if not app:
        return [folder for folder in folders if folder.editable]
    history.of(app)
    return [folder for folder in folders if folder.label == app]


def _merging(history: History, chosen: list[AppFolder], name: str) -> tuple[NewMigration, ...]:
    from ..migrations.merging import merging_migrations

    new = merging_migrations(history, chosen, name=name)
    joined = {migration.label for migration in new}
    left = (history.conflict(label) for label in history.labels if label not in joined)
    if not new and (conflicts := tuple(filter(None, left))):
        raise ErrorGroup(conflicts)
    return new


def _empty(
    history: History, chosen: list[AppFolder], app: str, name: str
) -> tuple[NewMigration, ...]:
    from ..migrations.maker import empty_migration

    if not app:
        raise CommandError(
            "--empty needs the app that the file is for",
            code="db.E118",
            hint=f"manage makemigrations {chosen[0].label if chosen else 'APP'} --empty",
        )
    return (empty_migration(history, chosen[0], name=name),)


def _missing(
    project: Project, history: History, chosen: list[AppFolder], answers: Answers, name: str
) -> tuple[NewMigration, ...]:
    from ..migrations.maker import missing_migrations
    from ..migrations.project import app_tables

    tables = app_tables(project)
    labels = {folder.label for folder in chosen}
    new = missing_migrations(
        history,
        [(folder, tables[folder.label]) for folder in chosen],
        ask=answers.ask,
        fill=answers.fill,
        name=name,
        others=[each for label, each in tables.items() if label not in labels],
    )
    answers.check_used()
    return new


def _report(context: Context, new: tuple[NewMigration, ...], *, check: bool, dry_run: bool) -> int:
    from ..migrations.writer import write

    for migration in new:
        path = _shown(migration.path, context.project)
        if check:
            context.echo(f"missing: {path}")
        elif dry_run:
            context.echo(f"# {path}\n{migration.source}")
        else:
            write(migration)
            context.echo(f"written: {path}")
    return 1 if check else 0


def _shown(path: Path, project: Project) -> str:
    root = project.settings.root
    return os.path.relpath(path, root) if path.is_relative_to(root) else str(path)
