"""Write a file for Compose: server, worker, migrations, PostgreSQL, Redis."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from ....commands import Context, command

__all__ = ["write_for_compose"]


@command(starts="nothing")
def write_for_compose(
    directory: Annotated[
        Path | None, "The folder to write into; the project's unless given."
    ] = None,
    /,
    *,
    force: Annotated[bool, "Write over files that say something else."] = False,
    diff: Annotated[
        bool, "Write nothing, show what would change; exit code 1 if something."
    ] = False,
    context: Context,
) -> int:
    """Write the files, or none of them."""
    from ...deploy.compose import compose_files, next_steps
    from ...deploy.writing import deploy

    return deploy(
        context,
        compose_files,
        directory,
        usual=".",
        next_steps=next_steps,
        force=force,
        diff=diff,
    )
