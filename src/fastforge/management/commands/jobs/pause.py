"""Let no worker take jobs from a queue, until it is resumed.

Jobs that run go on, and jobs can be enqueued.
"""

from __future__ import annotations

from typing import Annotated

from ....commands import Context, command
from ...jobs.pausing import set_paused

__all__ = ["pause_queue"]


@command
async def pause_queue(
    queue: Annotated[str, "The queue."],
    *,
    json: Annotated[bool, "Write JSON."] = False,
    context: Context,
) -> None:
    """Pause one queue."""
    await set_paused(queue, True, context, json=json)
