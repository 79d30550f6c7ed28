"""Failures: what is told of a migration that the database refused, and of what is left of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from ...._utils import failing_line, first_line, redact
from ....exceptions import Location
from ..errors import describe
from ..sessions.statements import first_words
from .errors import MigrationFailed
from .plan import ZERO, PlannedStep
from .progress import Progress

__all__ = ["DEADLOCK", "LOCK_NOT_AVAILABLE", "dangling_rows", "failed"]

LOCK_NOT_AVAILABLE: Final = "55P03"
DEADLOCK: Final = "40P01"
MADE_ALREADY: Final = frozenset({"42P07", "42701", "42710", "42P06", "42723"})
"""A table or an index, a column, a constraint or a type, a schema, a function that is there."""
GONE_ALREADY: Final = frozenset({"42P01", "42703", "42704"})
_DROP: Final = re.compile(r"\bdrop\b", re.IGNORECASE)
SHOWN: Final = 3
"""How many statements or migrations a message names."""
NOTHING_ENDED: Final = "none of its statements had ended"


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
    left, hints = "it was rolled back", [_hint(error)]
    if not rolled_back:
        remains = [*_remains(error, progress), *_invalid(invalid_indexes)]
        left = "; ".join(["it runs in no transaction", *(remains or [NOTHING_ENDED])])
        hints += [_way_on(step, progress)] if remains else []
    return MigrationFailed(
        f"cannot {step}: {told}{_at(progress)}; {left}{_kept(before)}",
        code="db.E122",
        hint="; ".join(filter(None, hints)),
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


def _remains(error: Exception, progress: Progress) -> Iterator[str]:
    """Yield what is there of a migration that ran in no transaction, by this attempt or before."""
    if progress.done:
        yield f"what it did stays: {_listed(map(_shown, progress.done))}"
    state = describe(error).sqlstate
    if state in MADE_ALREADY:
        yield "what this statement makes is there, perhaps from an attempt before this one"
    elif state in GONE_ALREADY and _DROP.search(progress.current):
        yield "what this statement drops is gone, perhaps since an attempt before this one"


def _invalid(indexes: Collection[str]) -> Iterator[str]:
    if indexes:
        yield f"not valid, and to be dropped: {', '.join(indexes)}"


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


def _hint(error: Exception) -> str:
    # The only assertion that a migration meets in alembic: its block cannot leave our transaction.
    if isinstance(error, AssertionError) and not str(error):
        return "write `atomic = False` in the file in place of autocommit_block()"
    if describe(error).sqlstate == LOCK_NOT_AVAILABLE:
        return "a transaction holds the table: end it (pg_stat_activity shows it), or try later"
    return ""


def _way_on(step: PlannedStep, progress: Progress) -> str:
    """Return the two ways out of a migration that is half done."""
    anew = "migrate begins it anew at its first statement: undo what is there, and migrate again"
    target = step.migration.name
    if not step.forward:
        before = step.migration.previous
        if len(before) > 1:  # no target takes back this one alone
            return anew
        target = before[0].partition(".")[2] if before else ZERO
    return (
        f"{anew}; or run the rest by hand, from statement {len(progress.done) + 1} on, and say:"
        f" manage migrate {step.migration.label} {target} --fake"
    )
