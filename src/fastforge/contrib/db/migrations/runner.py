"""Runner: applies migrations and takes them back, each in a transaction with its ledger row."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from ...._utils import failing_line, first_line, redact
from ....exceptions import Location
from ..engine import Engines
from ..errors import describe
from . import ledger
from .errors import MigrationError, MigrationFailed
from .history import History
from .lock import DEFAULT_WAIT_S, lock_held, migration_lock
from .operations import operations_on
from .plan import EVERYTHING, PlannedStep, Target, ahead, plan, refuse_ahead

__all__ = ["Report", "migrate"]

LOCK_NOT_AVAILABLE: Final = "55P03"
PAUSES_S: Final = (1.0, 2.0, 4.0, 8.0)
"""Between the attempts of a migration that could not lock its table in time."""


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
        MigrationError: The target is unknown, or a step cannot be taken back.
    """
    run = _Run(engines=engines, history=history, target=target, fake=fake, wait_s=wait_s)
    done: list[PlannedStep] = []
    plan(history, (), target)  # an unknown target is told without waiting for a lock
    async with migration_lock(engines.engine, wait_s=wait_s):
        while True:
            steps, unknown = await _look(run)
            if not steps:
                return Report(done=tuple(done), ahead=unknown)
            started = time.perf_counter()
            if await _attempt(run, steps[0]):
                done.append(steps[0])
                on_step(steps[0], time.perf_counter() - started)


async def _look(run: _Run) -> tuple[tuple[PlannedStep, ...], tuple[str, ...]]:
    applied = await ledger.read(run.engines)
    steps = plan(run.history, applied, run.target)
    unknown = ahead(run.history, applied)
    if steps and unknown:
        raise refuse_ahead(unknown)
    return steps, unknown


async def _attempt(run: _Run, step: PlannedStep) -> bool:
    """Run a step; again after a pause when a table could not be locked. False: others did it."""
    for pause_s in (*PAUSES_S, 0.0):
        try:
            return await _step(run, step)
        except DBAPIError as error:
            locked = describe(error).sqlstate == LOCK_NOT_AVAILABLE
            if locked and run.engines.engine.dialect.name == "sqlite":
                raise lock_held("another process", run.wait_s) from error
            if not (pause_s and locked and step.migration.atomic):
                raise _failed(step, error) from error
        except MigrationError:
            raise
        except Exception as error:
            raise _failed(step, error) from error
        await asyncio.sleep(pause_s)
    raise AssertionError


async def _step(run: _Run, step: PlannedStep) -> bool:
    async with run.engines.engine.connect() as connection:
        if not step.migration.atomic and run.engines.engine.dialect.name == "postgresql":
            connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
        return await connection.run_sync(_in_transaction, run, step)


def _in_transaction(connection: Connection, run: _Run, step: PlannedStep) -> bool:
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        _foreign_keys(connection, "OFF")
    try:
        with connection.begin():
            if (step.migration.id in ledger.applied(connection)) == step.forward:
                return False
            ledger.prepare(connection)
            if not run.fake:
                _operate(connection, run, step)
            note = ledger.record if step.forward else ledger.forget
            note(connection, step.migration.id)
            if sqlite:
                _check_foreign_keys(connection, step)
    finally:
        if sqlite:
            _foreign_keys(connection, "ON")
    return True


def _operate(connection: Connection, run: _Run, step: PlannedStep) -> None:
    migration = step.migration
    function = migration.upgrade if step.forward else migration.downgrade
    if function is None:
        raise MigrationError(
            f"{migration.id} cannot be taken back: it has no function downgrade(op)",
            code="db.E123",
            where=Location(str(migration.path), 1),
        )
    function(operations_on(connection))


def _foreign_keys(connection: Connection, mode: str) -> None:
    # On the driver's connection: within a transaction the pragma does nothing. With foreign keys
    # on, the recreation of a table would delete the rows that refer to it ON DELETE CASCADE.
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA foreign_keys={mode}")
    cursor.close()


def _check_foreign_keys(connection: Connection, step: PlannedStep) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        tables = ", ".join(sorted({f"{row[0]} to {row[2]}" for row in broken}))
        raise MigrationFailed(
            f"{step.migration.id} would leave {len(broken)} rows that refer to nothing"
            f" (from {tables}); it was rolled back",
            code="db.E124",
            hint="change or delete these rows in the migration",
            where=Location(str(step.migration.path), 1),
        )


def _failed(step: PlannedStep, error: Exception) -> MigrationFailed:
    cause = getattr(error, "orig", None) or error
    path = str(step.migration.path)
    # The only assertion that a migration meets in alembic: its block cannot leave our transaction.
    block = isinstance(error, AssertionError) and not str(error)
    rest = "it was rolled back" if step.migration.atomic else "what it did before stays"
    return MigrationFailed(
        f"cannot {step}: {first_line(redact(str(cause))) or type(cause).__name__}; {rest}",
        code="db.E122",
        hint="write `atomic = False` in the file in place of autocommit_block()" if block else "",
        where=failing_line(error, file=path) or Location(path, 1),
    )
