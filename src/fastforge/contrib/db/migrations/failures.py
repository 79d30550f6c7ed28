"""Failures: what is told of a migration that the database refused, and of what is left of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from ...._utils import failing_line, first_line, redact
from ....exceptions import Location
from ..errors import describe
from ..sessions.statements import first_words
from .errors import MigrationFailed
from .plan import PlannedStep
from .progress import Progress

__all__ = ["DEADLOCK", "LOCK_NOT_AVAILABLE", "dangling_rows", "failed"]

LOCK_NOT_AVAILABLE: Final = "55P03"
DEADLOCK: Final = "40P01"
SHOWN: Final = 3
"""How many statements or migrations a message names."""


def failed(
    step: PlannedStep,
    error: Exception,
    progress: Progress,
    *,
    before: Sequence[PlannedStep],
    rolled_back: bool,
    invalid_indexes: Collection[str] = (),
) -> MigrationFailed:
    """Return the error for a step that the database, or the file itself, refused.

    Args:
        step: The step.
        error: What was raised.
        progress: The statements that it had sent.
        before: The steps of the same run that are done and stay.
        rolled_back: Whether it ran in a transaction, so that nothing of it is left.
        invalid_indexes: What an interrupted CREATE INDEX CONCURRENTLY left.
    """
    cause = getattr(error, "orig", None) or error
    path = str(step.migration.path)
    told = first_line(redact(str(cause))) or type(cause).__name__
    left = "it was rolled back" if rolled_back else _left(progress, invalid_indexes)
    return MigrationFailed(
        f"cannot {step}: {told}{_at(progress)}; {left}{_kept(before)}",
        code="db.E122",
        hint=_hint(step, error, rolled_back=rolled_back),
        where=failing_line(error, file=path) or Location(path, 1),
    )


def dangling_rows(step: PlannedStep, broken: Sequence[Sequence[str]]) -> MigrationFailed:
    """Return the error for rows of SQLite that would refer to nothing.

    Args:
        step: The step.
        broken: The rows of `PRAGMA foreign_key_check`.
    """
    tables = ", ".join(sorted({f"{row[0]} to {row[2]}" for row in broken}))
    return MigrationFailed(
        f"{step.migration.id} would leave {len(broken)} rows that refer to nothing"
        f" (from {tables}); it was rolled back",
        code="db.E124",
        hint="change or delete these rows in the migration",
        where=Location(str(step.migration.path), 1),
    )


def _at(progress: Progress) -> str:
    if not progress.current:
        return ""
    return f", at its statement {len(progress.done) + 1}: {_shown(progress.current)}"


def _left(progress: Progress, invalid_indexes: Collection[str]) -> str:
    alone = "it runs in no transaction"
    if progress.done:
        left = f"{alone}, so that what it did stays: {_listed(map(_shown, progress.done))}"
    else:
        left = f"{alone}, but none of its statements had ended"
    if invalid_indexes:
        left += f"; not valid, and to be dropped: {', '.join(invalid_indexes)}"
    return left


def _kept(before: Sequence[PlannedStep]) -> str:
    if not before:
        return "; nothing was done before it"
    return f"; done before it, and staying: {_listed(str(step) for step in before)}"


def _listed(items: Iterable[str]) -> str:
    words = list(items)
    more = [f"{len(words) - SHOWN} more"] if len(words) > SHOWN else []
    return ", ".join([*more, *words[-SHOWN:]])


def _shown(statement: str) -> str:
    return first_words(redact(statement))


def _hint(step: PlannedStep, error: Exception, *, rolled_back: bool) -> str:
    # The only assertion that a migration meets in alembic: its block cannot leave our transaction.
    if isinstance(error, AssertionError) and not str(error):
        return "write `atomic = False` in the file in place of autocommit_block()"
    if describe(error).sqlstate == LOCK_NOT_AVAILABLE:
        return "a transaction holds the table: end it (pg_stat_activity shows it), or try later"
    if not rolled_back:
        return (
            "drop what is left and migrate again; or finish it by hand and say:"
            f" manage migrate {step.migration.label} {step.migration.name} --fake"
        )
    return ""
