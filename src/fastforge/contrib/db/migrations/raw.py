"""Raw: lines of source in a migration that no operation of alembic's stands for."""

from __future__ import annotations

import re

from alembic.operations import ops

__all__ = ["RawStatements", "executed", "on_postgresql_only"]


class RawStatements(ops.MigrateOperation):
    """Lines of source that stand in a migration as they are; a replay skips them.

    Args:
        lines: Whole statements, remarks, or the lines of a block.
    """

    def __init__(self, *lines: str) -> None:
        self.lines = lines


def executed(sql: str) -> str:
    """Return the line that runs a statement; a colon in it is no parameter."""
    escaped = re.sub(r"(?<![:\w\\]):(?=\w)", r"\\:", sql)
    return f"op.execute({escaped!r})"


def on_postgresql_only(sql: str) -> RawStatements:
    """Return a statement that other databases skip."""
    return RawStatements(
        'if op.get_context().dialect.name == "postgresql":', f"    {executed(sql)}"
    )
