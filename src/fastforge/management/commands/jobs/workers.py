"""Show the workers that have been heard of lately."""

from __future__ import annotations

from typing import Annotated

from ....commands import Context, command
from ...jobs.figures import worker_json, worker_table
from ...jobs.office import note, open_office
from ...tables import as_json

__all__ = ["show_workers"]


@command
async def show_workers(
    *,
    fail_if_none: Annotated[bool, "End with exit code 1 when none is alive."] = False,
    json: Annotated[bool, "Write JSON."] = False,
    context: Context,
) -> int:
    """Show where they run, what they do, and when they were heard of last."""
    with open_office(context) as office:
        beats = await office.desk.workers()
        if json:
            for beat in beats:
                context.echo(as_json(worker_json(beat), indent=None))
        elif beats:
            context.echo(worker_table(beats, office))
        is_one_alive = any(beat.alive for beat in beats)
        if not is_one_alive:
            note("no worker is alive: jobs wait; `runworker` starts one")
        return int(fail_if_none and not is_one_alive)
