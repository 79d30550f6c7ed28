"""Write a new project.

It has a package with settings, one small app with a migration and a task, and a test.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from ...commands import Context, command
from ...scaffold import new_project, write_project

__all__ = ["startproject"]


@command(starts="nothing")
def startproject(
    name: Annotated[str, "The project's and its package's name, for example shop."],
    directory: Annotated[Path | None, "The folder to write into; ./NAME unless given."] = None,
    /,
    *,
    dry_run: Annotated[bool, "Only list what would be written."] = False,
    context: Context,
) -> None:
    """Write the files, never over one that exists."""
    folder = directory or Path(name)
    project = new_project(name)
    written = write_project(project, folder, dry_run=dry_run)
    for path in written:
        context.echo(f"{'would write' if dry_run else 'wrote'} {path}")
    if not dry_run:
        context.echo(f"\nNext:\n  cd {folder}\n  python manage.py migrate")
        context.echo("  python manage.py runserver")
