"""Pausing: the body of `jobs pause` and `jobs resume`."""

from __future__ import annotations

from ...commands import Context
from ..tables import as_json
from .known import queues_meant
from .office import open_office

__all__ = ["set_paused"]


async def set_paused(queue: str, paused: bool, context: Context, *, json: bool) -> None:
    """Pause or resume a queue, and tell what became of it.

    Raises:
        CommandError: There is no such queue.
    """
    with open_office(context) as office:
        await queues_meant([queue], office)
        stats = {each.queue: each for each in await office.desk.stats()}
        was_paused = queue in stats and stats[queue].paused
        await (office.desk.pause if paused else office.desk.resume)(queue)
        word = "paused" if paused else "resumed"
        if json:
            fields = {"queue": queue, "paused": paused, "changed": was_paused is not paused}
            context.echo(as_json(fields, indent=None))
        elif was_paused is paused:
            context.echo(f"{queue} was {'paused' if paused else 'not paused'} already")
        else:
            context.echo(f"{queue} is {word}")
