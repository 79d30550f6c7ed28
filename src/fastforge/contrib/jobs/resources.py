"""The resource `job_store`: the jobs table, as the running process uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Final

from sqlalchemy import exc

from ...core.resources import task_clock
from ...core.services import worker_is_embedded
from ...exceptions import StartError
from ...lifecycle import Role, current_container, provide, resource
from ...tasks.clock import Clock
from ...tasks.settings import Tasks
from ..db.engine import target_of
from ..db.faults.missing import schema_missing
from ..db.faults.unavailable import unavailable
from ..db.resources import DatabaseConnection, database, open_of
from .statements.tables import JOB
from .store import JobStore

__all__ = ["BOOKKEEPING_CONNECTIONS", "job_store", "refuse_missing_table"]

BOOKKEEPING_CONNECTIONS: Final = 4
"""What a worker keeps besides the pool of its jobs: to claim, to settle, to renew, to listen."""


@resource
async def job_store(
    database: Annotated[DatabaseConnection, provide(database)],
    clock: Annotated[Clock, provide(task_clock)],
) -> AsyncIterator[JobStore]:
    """Give the store; where jobs run, with a small pool of its own.

    Jobs share the project's pool and may hold all of it. Leases that cannot be renewed for that
    would run out, and the jobs would run twice. It leads past a pooler, through which nobody hears
    of a job that was committed.
    """
    container = current_container()
    settings = container.settings
    tasks = settings.section(Tasks)
    is_worker = container.role is Role.WORKER
    if not is_worker and not worker_is_embedded(container):
        pooled = database.config.pooler is not None
        yield JobStore(database.engine, settings=tasks, clock=clock, pooled=pooled)
        return
    config = database.config.direct.model_copy(
        update={"pool_size": BOOKKEEPING_CONNECTIONS, "max_overflow": 0}
    )
    own = await open_of(settings, config)
    try:
        if is_worker:  # a server in development may begin before the first `migrate`
            await refuse_missing_table(own)
        pooled = config.pooler is not None
        yield JobStore(own.engine, settings=tasks, clock=clock, pooled=pooled)
    finally:
        await own.engine.dispose()


async def refuse_missing_table(connection: DatabaseConnection) -> None:
    """Find a forgotten `migrate` before the first claim, which would only fail again and again.

    Raises:
        StartError: The table is not there.
        ResourceUnavailable: The database does not answer, or not to this user.
    """
    try:
        async with connection.engine.begin() as opened:
            await opened.execute(JOB.select().limit(1))
    except exc.DBAPIError as error:
        if not schema_missing(error):
            raise unavailable(connection.config, error) from error
        raise StartError(
            f"the database {target_of(connection.config)} has no usable table {JOB.name!r}",
            code="jobs.E002",
            hint="run: manage migrate",
        ) from error
