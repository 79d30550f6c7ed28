"""Test every connection of the project, and say versions, clocks and limits.

Each examination has --timeout seconds, and all of them run side by side. The exit code is 0 where
nothing fails, 1 where something does, 3 where no process of the project can start.
"""

from __future__ import annotations

from typing import Annotated

from ...commands import Context, command
from ...exceptions import CommandError

__all__ = ["doctor"]


@command(starts="project")
async def doctor(
    *,
    timeout: Annotated[float, "How many seconds each examination may take."] = 5,
    json: Annotated[bool, "Write JSON."] = False,
    context: Context,
) -> int:
    """Run the examinations of every installed app, and end with what to do.

    Raises:
        CommandError: The time limit is none.
    """
    from ...checks import Patient
    from ..doctor.report import as_document, as_text, exit_code
    from ..doctor.running import examine
    from ..tables import as_json

    if not 0 < timeout < float("inf"):
        raise CommandError(
            f"--timeout is {timeout:g}",
            code="doctor.E001",
            hint="give a number of seconds above 0",
        )
    project = context.project
    examined = await examine(Patient(project=project, timeout_s=timeout))
    settings = project.settings
    context.echo(as_json(as_document(examined, settings)) if json else as_text(examined, settings))
    return exit_code(examined)
