"""Change: one step of a migration that is being made, and how to take it back."""

from __future__ import annotations

from dataclasses import dataclass

from alembic.operations import ops

__all__ = ["Change"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One step forward and how to take it back.

    Args:
        upgrade: The operations, in order.
        downgrade: The operations that undo them, in order.
        title: Two or three words for the file's name, for example `add_age`.
    """

    upgrade: tuple[ops.MigrateOperation, ...]
    downgrade: tuple[ops.MigrateOperation, ...]
    title: str
