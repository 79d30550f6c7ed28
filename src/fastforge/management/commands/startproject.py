"""Write a new project.

It has a package with settings, a test, a Dockerfile and a page that says what to type. Nothing is
ever written over.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from ...commands import Context, command
from ...scaffold import new_project, summary, write_changes

__all__ = ["startproject"]


@command(starts="nothing")
def startproject(
    name: Annotated[str, "The project's and its package's name, for example shop."],
    directory: Annotated[Path | None, "The folder to write into; ./NAME unless given."] = None,
    /,
    *,
    minimal: Annotated[bool, "Only what it needs to run: no test, no Dockerfile."] = False,
    dry_run: Annotated[bool, "Only list what would be written."] = False,
    context: Context,
) -> None:
    """Write the files, or none of them."""
    folder = directory or Path(name)
    changes = new_project(name, minimal=minimal).changes(folder)
    write_changes(changes, dry_run=dry_run)
    for line in summary(changes, dry_run=dry_run):
        context.echo(line)
    if not dry_run:
        context.echo("\nNext:")
        for line in _next_steps(folder):
            context.echo(f"  {line}")


def _next_steps(folder: Path) -> Iterator[str]:
    if folder.resolve() != Path.cwd():
        yield f"cd {shlex.quote(str(folder))}"
    yield "python manage.py migrate"
    yield "python manage.py runserver"
