"""Write migration files for what changed in the models."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from ....commands import Context, command
from ....exceptions import CommandError

if TYPE_CHECKING:
    from ....project import Project
    from ..migrations.folders import AppFolder
    from ..migrations.history import History
    from ..migrations.maker import AppTables
    from ..migrations.questions import Ask, Suspicion
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
    renamed: Annotated[bool, "What looks renamed was renamed."] = False,
    not_renamed: Annotated[bool, "What looks renamed was dropped and made anew."] = False,
) -> int:
    """Compare the models with the migration files and write what is missing."""
    from ..migrations.files import load_history
    from ..migrations.maker import empty_migration
    from ..migrations.project import app_folders, app_tables

    project = context.project
    folders = app_folders(project)
    history = load_history(folders)
    chosen = _chosen(folders, app, history)
    if empty:
        new: tuple[NewMigration, ...] = (empty_migration(history, _one(chosen, app), name=name),)
    else:
        tables = app_tables(project)
        pairs = [(folder, tables[folder.label]) for folder in chosen]
        ask = _ask(renamed, not_renamed, interactive=not check and sys.stdin.isatty())
        new = _missing(history, pairs, ask, name)
    if not new:
        context.echo("No changes in the models.")
        return 0
    return _report(context, new, check=check, dry_run=dry_run)


def _chosen(folders: tuple[AppFolder, ...], app: str, history: History) -> list[AppFolder]:
    if not app:
        return [folder for folder in folders if folder.editable]
    history.of(app)
    return [folder for folder in folders if folder.label == app]


def _one(chosen: list[AppFolder], app: str) -> AppFolder:
    if not app:
        raise CommandError(
            "--empty needs the app that the file is for",
            code="db.E118",
            hint=f"manage makemigrations {chosen[0].label if chosen else 'APP'} --empty",
        )
    return chosen[0]


def _missing(
    history: History, pairs: list[tuple[AppFolder, AppTables]], ask: Ask, name: str
) -> tuple[NewMigration, ...]:
    from ..migrations.maker import missing_migrations

    return missing_migrations(history, pairs, ask=ask, name=name)


def _ask(renamed: bool, not_renamed: bool, *, interactive: bool) -> Ask:
    if renamed and not_renamed:
        raise CommandError("--renamed and --not-renamed exclude each other", code="db.E128")

    def ask(suspicion: Suspicion) -> bool | None:
        if renamed or not_renamed:
            return renamed
        if not interactive:
            return None
        import click

        return click.confirm(suspicion.question, err=True)

    return ask


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
