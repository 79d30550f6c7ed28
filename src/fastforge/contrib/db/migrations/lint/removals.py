"""Removals: tables and columns that go or get another name under code that still runs."""

from __future__ import annotations

from collections.abc import Iterator

from alembic.operations import ops

from .....checks import Level, Message
from .recorded import Recorded

__all__ = ["removals"]


def removals(step: Recorded) -> Iterator[Message]:
    """Find what the code that still runs would not find any more."""
    match step.operation:
        case ops.DropTableOp():
            yield Message(
                id="db.W101",
                level=Level.WARNING,
                text=f"dropping {step.name} breaks the code that still runs: it reads and writes"
                " the table until the last old process has ended",
                hint="release the code without the model first; then this file, with"
                ' safe = "no code uses it since ..."',
                where=step.where,
            )
        case ops.DropColumnOp(column_name=column):
            yield Message(
                id="db.W102",
                level=Level.WARNING,
                text=f"dropping {step.name}.{column} breaks the code that still runs: it names the"
                " column whenever it reads or writes a row",
                hint="release code that does not map the column first (exclude_properties); then"
                " this file",
                where=step.where,
            )
        case ops.RenameTableOp(new_table_name=new):
            yield Message(
                id="db.W103",
                level=Level.WARNING,
                text=f"renaming {step.name} to {new} breaks the code that still runs, which knows"
                " the old name, and the new code until then",
                hint=f'keep the name: __tablename__ = "{step.name}"; or make the new table beside'
                " it, write both, copy the rows, and drop the old one later",
                where=step.where,
            )
        case ops.AlterColumnOp(column_name=column, modify_name=str(new)):
            yield Message(
                id="db.W104",
                level=Level.WARNING,
                text=f"renaming {step.name}.{column} to {new} breaks the code that still runs,"
                " which knows the old name, and the new code until then",
                hint=f'keep the name in the database: {new} = mapped_column("{column}"); or add the'
                " new column, write both, copy the values, and drop the old one later",
                where=step.where,
            )
