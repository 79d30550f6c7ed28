"""Write units for systemd: server, workers, migrations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from ....commands import Context, command

__all__ = ["write_for_systemd"]


@command(starts="nothing")
def write_for_systemd(
    directory: Annotated[
        Path | None, "The folder to write into; deploy/systemd unless given."
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
    from ...deploy.systemd import next_steps, systemd_files
    from ...deploy.writing import deploy

    return deploy(
        context,
        systemd_files,
        directory,
        usual="deploy/systemd",
        next_steps=next_steps,
        force=force,
        diff=diff,
    )
