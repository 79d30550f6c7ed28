"""Writing: the files of a deployment beside those that are there, never over them unasked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from ...commands import Context
from ...exceptions import CommandError
from ...scaffold import Change, show_diff, summary, write_changes
from .deployment import Deployment, deployment_of
from .reading import project_in_production

__all__ = ["Files", "deploy"]

Files = Callable[[Deployment, Path], Mapping[str, str]]
"""Gives the text of each file by its path in a folder."""
NextSteps = Callable[[Deployment, Path], Iterable[str]]


def deploy(
    context: Context,
    files: Files,
    directory: Path | None,
    *,
    usual: str,
    next_steps: NextSteps,
    force: bool,
    diff: bool,
) -> int:
    """Write the files of one platform, or show what would change; return the exit code.

    Args:
        context: The call of the command.
        files: Gives the files.
        directory: Where they are to stand, if that was said.
        usual: Where they stand otherwise, below the project's folder.
        next_steps: Gives what to type then.
        force: Write over what is there.
        diff: Write nothing: show the difference, and return 1 where there is one.

    Raises:
        CommandError: Files are there that say something else, and nobody wants them written over;
            or they cannot be written.
    """
    deployment = deployment_of(project_in_production(context.settings_module))
    folder = deployment.root / usual if directory is None else directory
    changes = [*_changes(folder, files(deployment, folder))]
    if diff:
        if changes:
            context.echo(show_diff(changes).removesuffix("\n"))
        return int(bool(changes))
    if not force:
        _refuse_to_write_over([change for change in changes if not change.is_new])
    write_changes(changes)
    for line in summary(changes):
        context.echo(line)
    if not changes:
        context.echo("nothing to write: the files are as they would be")
        return 0
    context.echo("\nNext:")
    for step in next_steps(deployment, folder):
        context.echo(f"  {step}")
    return 0


def _changes(folder: Path, files: Mapping[str, str]) -> Iterable[Change]:
    """Yield what has to be written; a file that is as it would be is left alone."""
    for name, text in files.items():
        path = folder / name
        before = path.read_bytes().decode("utf-8", "surrogateescape") if path.is_file() else None
        if before != text:
            yield Change(path=path, before=before, after=text)


def _refuse_to_write_over(changes: Sequence[Change]) -> None:
    if changes:
        here = Path.cwd()
        names = [
            str(path.relative_to(here) if path.is_relative_to(here) else path)
            for path in (change.path for change in changes)
        ]
        raise CommandError(
            f"{', '.join(names)} {'say' if len(names) > 1 else 'says'} something else already",
            code="deploy.E001",
            hint="--diff shows what would change, --force writes over what is there",
        )
