"""Linter: asks every rule about every new migration."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from .....checks import Message
from ..history import History
from ..migration import Migration
from .columns import columns
from .constraints import constraints
from .recorded import RecordedMigration, record
from .removals import removals
from .whole import whole

__all__ = ["Finding", "lint"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule says of a migration."""

    migration: Migration
    message: Message


def lint(history: History, chosen: Collection[str]) -> tuple[Finding, ...]:
    """Return what the rules find, file by file and line by line.

    A table that the same migration makes is nobody's yet, and so nothing is said of it; nor of a
    file whose flag `safe` gives a reason.

    Args:
        history: All migrations; those before a chosen one tell what its tables look like.
        chosen: The ids of those to look at.

    Raises:
        MigrationFileError: A file cannot be replayed.
    """
    return tuple(
        Finding(migration=recorded.migration, message=message)
        for recorded in record(history, chosen)
        if not recorded.migration.safe
        for message in sorted(_found(recorded), key=_line)
    )


def _found(recorded: RecordedMigration) -> Iterator[Message]:
    for step in (*recorded.steps, *recorded.read):
        if step.operation is not None and not step.is_new:
            yield from removals(step)
            yield from columns(step, recorded)
            yield from constraints(step)
    yield from whole(recorded)


def _line(message: Message) -> tuple[int, str]:
    return (message.where.line if message.where else 0, message.id)
