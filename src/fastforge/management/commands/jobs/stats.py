"""Show what waits and runs in each queue.

OLDEST is for how long the first of the due jobs has been due.
"""

from __future__ import annotations

from typing import Annotated

from ....commands import Context, command
from ...jobs.figures import queue_json, queue_stats, queue_table
from ...jobs.known import queues_meant
from ...jobs.office import open_office
from ...tables import as_json

__all__ = ["show_stats"]


@command
async def show_stats(
    *,
    queue: Annotated[list[str], "This queue; may be repeated."] = [],  # noqa: B006
    json: Annotated[bool, "Write JSON."] = False,
    context: Context,
) -> None:
    """Show the queues in numbers."""
    with open_office(context) as office:
        stats = await queue_stats(office, await queues_meant(queue, office))
        if json:
            for each in stats:
                context.echo(as_json(queue_json(each), indent=None))
        else:
            context.echo(queue_table(stats))
