"""Runner: applies migrations and takes them back, each in a transaction with its ledger row."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from ....exceptions import Location
from ..engine import Engines
from ..errors import describe
from . import ledger
from .errors import MigrationError
from .failures import DEADLOCK, LOCK_NOT_AVAILABLE, dangling_rows, failed
from .history import History
from .lock import DEFAULT_WAIT_S, lock_held, migration_lock
from .operations import operations_on
from .plan import EVERYTHING, PlannedStep, Target, ahead, plan, refuse_ahead, refuse_gaps
from .progress import Progress

__all__ = ["Report", "migrate"]

PAUSES_S: Final = (1.0, 2.0, 4.0, 8.0)
"""Between the attempts of a migration that could not lock its table in time."""

_INVALID: Final = text("""
    SELECT i.indexrelid::regclass::text AS name FROM pg_index AS i WHERE NOT i.indisvalid
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one call of `migrate` did.

    Args:
        done: The steps that this process ran.
        ahead: The ids that the database has and this code does not.
    """

    done: tuple[PlannedStep, ...]
    ahead: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    engines: Engines
    history: History
    target: Target
    fake: bool
    wait_s: float

    @property
    def is_sqlite(self) -> bool:
        return self.engines.engine.dialect.name == "sqlite"


async def migrate(
    engines: Engines,
    history: History,
    *,
    target: Target = EVERYTHING,
    fake: bool = False,
    wait_s: float = DEFAULT_WAIT_S,
    on_step: Callable[[PlannedStep, float], None] = lambda step, seconds: None,
) -> Report:
    """Lead a database to a target. Safe to call from several processes at once.

    Args:
        engines: Connections without a statement timeout, two at least.
        history: The files.
        target: Where to go; everything by default.
        fake: Only note the migrations in the ledger; run none.
        wait_s: How long to wait for another process that migrates, in seconds.
        on_step: Called after each step with the seconds it took.

    Raises:
        MigrationFailed: The database refused a step; those before it stay.
        MigrationLockHeld: Another process did not finish in time.
        DatabaseAhead: Newer code has migrated the database, and there is something to do.
        MigrationError: The target is unknown, a step cannot be taken back, or a migration is
            applied and one that it requires is not.
    """
    run = _Run(engines=engines, history=history, target=target, fake=fake, wait_s=wait_s)
    done: list[PlannedStep] = []
    plan(history, (), target)  # an unknown target is told without waiting for a lock
    async with migration_lock(engines.engine, wait_s=wait_s) as lock:
        while True:
            await lock.check()
            steps, unknown = await _look(run)
            if not steps:
                return Report(done=tuple(done), ahead=unknown)
            started = time.perf_counter()
            if await _attempt(run, steps[0], done):
                done.append(steps[0])
                on_step(steps[0], time.perf_counter() - started)


async def _look(run: _Run) -> tuple[tuple[PlannedStep, ...], tuple[str, ...]]:
    """Read again what the database has; others may have migrated it before the lock was ours."""
    applied = await ledger.read(run.engines)
    steps = plan(run.history, applied, run.target)
    unknown = ahead(run.history, applied)
    if steps and unknown:
        raise refuse_ahead(unknown)
    if steps and steps[0].forward and not run.fake:
        refuse_gaps(run.history, applied, steps)
    return steps, unknown


async def _attempt(run: _Run, step: PlannedStep, done: list[PlannedStep]) -> bool:
    """Run a step; again after a pause when a table could not be locked. False: others did it."""
    rolled_back = step.migration.atomic or run.is_sqlite
    for pause_s in (*PAUSES_S, 0.0):
        progress = Progress()
        try:
            return await _step(run, step, progress)
        except DBAPIError as error:
            state = describe(error).sqlstate
            if state == LOCK_NOT_AVAILABLE and run.is_sqlite:
                raise lock_held("another process", run.wait_s) from error
            # What runs in no transaction may begin anew only where nothing of it is left.
            nothing_left = rolled_back or not progress.done
            if not (pause_s and nothing_left and state in (LOCK_NOT_AVAILABLE, DEADLOCK)):
                left = await _invalid_indexes(run, progress)
                raise failed(
                    step,
                    error,
                    progress,
                    before=done,
                    rolled_back=rolled_back,
                    invalid_indexes=left,
                ) from error
        except MigrationError:
            raise
        except Exception as error:
            raise failed(step, error, progress, before=done, rolled_back=rolled_back) from error
        await asyncio.sleep(pause_s)
    raise AssertionError


async def _step(run: _Run, step: PlannedStep, progress: Progress) -> bool:
    async with run.engines.engine.connect() as connection:
        if step.migration.atomic or run.is_sqlite:
            return await connection.run_sync(_in_transaction, run, step, progress)
        connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
        try:
            return await connection.run_sync(_in_transaction, run, step, progress)
        finally:
            await _throw_away(connection)


async def _throw_away(connection: AsyncConnection) -> None:
    """Close a connection whose settings a migration may have changed for good."""
    with suppress(SQLAlchemyError):
        await connection.invalidate()


def _in_transaction(
    connection: Connection, run: _Run, step: PlannedStep, progress: Progress
) -> bool:
    if run.is_sqlite:
        _foreign_keys(connection, "OFF")
    try:
        with connection.begin():
            if (step.migration.id in ledger.applied(connection)) == step.forward:
                return False
            ledger.prepare(connection)
            if not run.fake:
                _operate(connection, step, progress)
            note = ledger.record if step.forward else ledger.forget
            note(connection, step.migration.id)
            if run.is_sqlite:
                _check_foreign_keys(connection, step)
    finally:
        if run.is_sqlite:
            _foreign_keys(connection, "ON")
    return True


def _operate(connection: Connection, step: PlannedStep, progress: Progress) -> None:
    migration = step.migration
    function = migration.upgrade if step.forward else migration.downgrade
    if function is None:
        raise MigrationError(
            f"{migration.id} cannot be taken back: it has no function downgrade(op)",
            code="db.E123",
            where=Location(str(migration.path), 1),
        )
    operations = operations_on(connection)
    progress.watch(connection)
    try:
        function(operations)
    finally:
        progress.stop(connection)


async def _invalid_indexes(run: _Run, progress: Progress) -> list[str]:
    """Return the indexes that the failed statement would have made, and that are there, broken."""
    if run.is_sqlite or not progress.waits_for_nobody:
        return []
    with suppress(SQLAlchemyError):
        async with run.engines.engine.connect() as connection:
            names = await connection.scalars(_INVALID)
            return [name for name in names if name.strip('"') in progress.current]
    return []


def _foreign_keys(connection: Connection, mode: str) -> None:
    # On the driver's connection: within a transaction the pragma does nothing. With foreign keys
    # on, the recreation of a table would delete the rows that refer to it ON DELETE CASCADE.
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA foreign_keys={mode}")
    cursor.close()


def _check_foreign_keys(connection: Connection, step: PlannedStep) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        raise dangling_rows(step, broken)
