"""Show all that is known of one job.

What it was given, what happened to it, its result, and every failure with its traceback. Secrets
are masked.
"""

from __future__ import annotations

from typing import Annotated

from ....commands import Context, command
from ...jobs.ids import job_meant
from ...jobs.office import open_office
from ...jobs.records import job_json
from ...jobs.sheet import job_sheet
from ...tables import as_json

__all__ = ["show_job"]


@command
async def show_job(
    id: Annotated[str, "The id of a job, or what it begins with."],
    *,
    json: Annotated[bool, "Write JSON."] = False,
    context: Context,
) -> None:
    """Show one job."""
    with open_office(context) as office:
        record = await job_meant(id, office)
        if json:
            context.echo(as_json(job_json(record, whole=True), indent=None))
        else:
            context.echo(job_sheet(record, office))
