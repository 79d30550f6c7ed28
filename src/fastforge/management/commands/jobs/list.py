"""List jobs, the newest first."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Final

from ....commands import Context, command
from ....tasks.records import JobQuery
from ...jobs.filters import (
    BatchOption,
    Filter,
    Ids,
    QueueOption,
    SinceOption,
    StateOption,
    TaskOption,
    UntilOption,
)
from ...jobs.ids import jobs_meant
from ...jobs.office import note, open_office
from ...jobs.records import job_json, job_table
from ...tables import as_json

__all__ = ["list_jobs"]

SHOWN: Final = 50


@command
async def list_jobs(
    ids: Ids = (),
    *,
    task: TaskOption = [],  # noqa: B006
    queue: QueueOption = [],  # noqa: B006
    state: StateOption = [],  # noqa: B006
    since: SinceOption = "",
    until: UntilOption = "",
    batch: BatchOption = "",
    limit: Annotated[int, "How many at most."] = SHOWN,
    json: Annotated[bool, "Write JSON."] = False,
    context: Context,
) -> None:
    """Show the jobs that are meant, in a table that fits the terminal."""
    meant = Filter(
        task=task, queue=queue, state=state, since=since, until=until, batch=batch, limit=limit
    )
    with open_office(context) as office:
        query = await meant.query(office)
        if ids:
            uids = tuple(record.uid for record in await jobs_meant(ids, office))
            query = dataclasses.replace(query, uids=uids)
        records = await office.desk.find(query)
        if json:
            for record in records:
                context.echo(as_json(job_json(record), indent=None))
        elif records:
            context.echo(job_table(records, office))
        more = await office.desk.count(query) - len(records) if len(records) == limit else 0
        if more > 0:
            note(f"{more:,} more; --limit {len(records) + more} shows them")
        elif not records:
            note("there is no such job" if query != JobQuery(limit=limit) else "there are no jobs")
