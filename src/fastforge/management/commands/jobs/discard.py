"""Forget jobs that do not run, for good.

They are deleted, whatever state they are in.

With a filter in place of ids, a person is asked first; where there is no terminal, --yes has to
say so.
"""

from __future__ import annotations

from typing import Annotated

from ....commands import Context, command
from ...jobs.changes import DISCARD
from ...jobs.changing import changing
from ...jobs.filters import (
    AllOption,
    BatchOption,
    Filter,
    Ids,
    LimitOption,
    QueueOption,
    SinceOption,
    StateOption,
    TaskOption,
    UntilOption,
    YesOption,
)

__all__ = ["discard_jobs"]


@command
async def discard_jobs(
    ids: Ids = (),
    *,
    task: TaskOption = [],  # noqa: B006
    queue: QueueOption = [],  # noqa: B006
    state: StateOption = [],  # noqa: B006
    since: SinceOption = "",
    until: UntilOption = "",
    batch: BatchOption = "",
    limit: LimitOption = None,
    all: AllOption = False,
    yes: YesOption = False,
    json: Annotated[bool, "Write JSON."] = False,
    context: Context,
) -> int:
    """Discard the jobs that are meant."""
    meant = Filter(
        task=task, queue=queue, state=state, since=since, until=until, batch=batch, limit=limit
    )
    return await changing(DISCARD, ids, meant, context, all_jobs=all, yes=yes, json=json)
