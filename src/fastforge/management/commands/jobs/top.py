"""Watch queues, running jobs and workers live in the terminal.

Refreshed each second. Up and down select a queue, p pauses it, r resumes it, q quits. Where the
output is no terminal, it is shown once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from ....commands import Context, command
from ...jobs.figures import queue_json, queue_table, worker_json, worker_table
from ...jobs.office import Office, note, open_office
from ...jobs.records import job_json, job_table
from ...jobs.screen import Snapshot, take_snapshot
from ...jobs.terminal import is_live_terminal
from ...jobs.top import Top
from ...tables import as_json

__all__ = ["watch_jobs"]


@command
async def watch_jobs(
    *,
    json: Annotated[bool, "Write JSON."] = False,
    context: Context,
) -> None:
    """Show what happens, as it happens."""
    with open_office(context) as office:
        snapshot = await take_snapshot(office)
        if json:
            for each in _json_of(snapshot):
                context.echo(as_json(each, indent=None))
        elif is_live_terminal():
            await Top(office, snapshot).run()
        else:
            for text in _tables(snapshot, office):
                context.echo(text)
            note("in a terminal, `jobs top` is live")


def _json_of(snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    for stats in snapshot.queues:
        yield {"kind": "queue", **queue_json(stats)}
    for record in snapshot.running:
        yield {"kind": "job", **job_json(record)}
    for beat in snapshot.workers:
        yield {"kind": "worker", **worker_json(beat)}


def _tables(snapshot: Snapshot, office: Office) -> Iterator[str]:
    yield queue_table(snapshot.queues)
    if snapshot.running:
        yield f"\n{job_table(snapshot.running, office)}"
    if snapshot.workers:
        yield f"\n{worker_table(snapshot.workers, office)}"
