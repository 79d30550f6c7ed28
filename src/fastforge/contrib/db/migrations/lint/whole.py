"""Whole: what is wrong with a migration as a whole, and not with one of its operations."""

from __future__ import annotations

from collections.abc import Iterator

from alembic.operations import ops

from .....checks import Level, Message
from .....exceptions import Location
from .recorded import Recorded, RecordedMigration

__all__ = ["whole"]


def whole(recorded: RecordedMigration) -> Iterator[Message]:
    """Find what its steps are together."""
    yield from _data_with_schema(recorded)
    yield from _without_way_back(recorded)
    yield from _concurrently_in_transaction(recorded)
    yield from _half_done(recorded)


def _data_with_schema(recorded: RecordedMigration) -> Iterator[Message]:
    data = [
        step
        for step in recorded.steps
        if any(each.writes and each.writes not in recorded.made for each in step.statements)
    ]
    schema = [step for step in recorded.steps if _locks(step, recorded)]
    if data and schema:
        yield Message(
            id="db.W114",
            level=Level.WARNING,
            text=f"rows are changed in the migration that changes {_changed(schema[0])}: the table"
            " stays locked, and nobody can read or write it, until every row is done",
            hint="put the rows into a migration of their own",
            where=data[0].where,
        )


def _changed(step: Recorded) -> str:
    return step.name or next(each.alters for each in step.statements if each.alters)


def _locks(step: Recorded, recorded: RecordedMigration) -> bool:
    """Return whether a step keeps a table that is in use locked until the migration ends."""
    if step.operation is None:
        return any(each.alters and each.alters not in recorded.made for each in step.statements)
    is_index = isinstance(step.operation, (ops.CreateIndexOp, ops.DropIndexOp))
    return not step.is_new and not (is_index and _is_concurrent(step))


def _without_way_back(recorded: RecordedMigration) -> Iterator[Message]:
    if recorded.migration.downgrade is None:
        yield Message(
            id="db.W115",
            level=Level.WARNING,
            text=f"{recorded.migration.id} cannot be taken back: it has no function downgrade(op),"
            " and whoever rolls a release back stands before a database that is ahead",
            hint="write downgrade(op); where there is nothing to take back: pass",
            where=Location(str(recorded.migration.path), 1),
        )


def _concurrently_in_transaction(recorded: RecordedMigration) -> Iterator[Message]:
    if recorded.migration.atomic:
        for step in filter(_is_concurrent, recorded.steps):
            yield Message(
                id="db.W116",
                level=Level.WARNING,
                text="CONCURRENTLY inside a transaction is refused by PostgreSQL: this fails when"
                " it is deployed, and on SQLite it does not",
                hint="write atomic = False in the file",
                where=step.where,
            )


def _half_done(recorded: RecordedMigration) -> Iterator[Message]:
    if recorded.migration.atomic or len(recorded.steps) < 2:
        return
    others = [step for step in recorded.steps if not _is_concurrent(step)]
    if others:
        yield Message(
            id="db.W117",
            level=Level.WARNING,
            text="this file runs in no transaction and does several things: when one fails, those"
            " before it stay, and whoever deploys has to mend the database by hand",
            hint="leave in it what says CONCURRENTLY, and put the rest into a file of its own",
            where=others[0].where,
        )


def _is_concurrent(step: Recorded) -> bool:
    kw = getattr(step.operation, "kw", None) or {}
    return bool(kw.get("postgresql_concurrently")) or any(
        each.concurrently for each in step.statements
    )
