"""Let workers take jobs from a paused queue again."""

from __future__ import annotations

from typing import Annotated

from ....commands import Context, command
from ...jobs.pausing import set_paused

__all__ = ["resume_queue"]


@command
async def resume_queue(
    queue: Annotated[str, "The queue."],
    *,
    json: Annotated[bool, "Write JSON."] = False,
    context: Context,
) -> None:
    """Resume one queue."""
    await set_paused(queue, False, context, json=json)
