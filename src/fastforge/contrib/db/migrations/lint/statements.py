"""Statements: what raw SQL and data steps of a migration do, as far as their text tells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from alembic.operations import ops
from sqlalchemy import TextClause
from sqlalchemy.sql.dml import UpdateBase

from .reading import operations_in, table_made

__all__ = ["Statement", "statements_in"]

_NAME: Final = r'(?P<table>[\w."]+)'
_DATA: Final = re.compile(
    rf"^(?:with\b.*?\b)?(?:insert\s+into|update(?:\s+only)?|delete\s+from(?:\s+only)?|merge\s+into"
    rf"|copy)\s+{_NAME}",
    re.IGNORECASE | re.DOTALL,
)
_VALIDATE: Final = re.compile(r'\bvalidate\s+constraint\s+"?(?P<name>\w+)', re.IGNORECASE)
_SCHEMA: Final = re.compile(
    rf"^(?:alter|drop)\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?{_NAME}", re.IGNORECASE
)
_UNREAD: Final = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\bas\s+\$(?P<tag>\w*)\$.*?\$(?P=tag)\$",
    re.IGNORECASE | re.DOTALL,
)
"""Remarks, values, and what a function will do when it is called."""
_CONCURRENTLY: Final = re.compile(r"\bconcurrently\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement.

    Args:
        writes: The table whose rows it changes; empty when it changes none.
        alters: The table that it locks to change it; empty when it changes none.
        makes: The table that it makes; empty when it makes none.
        validated: The constraint that it validates; empty for none.
        concurrently: Whether it says CONCURRENTLY.
        operations: What it does, as operations.
    """

    writes: str = ""
    alters: str = ""
    makes: str = ""
    validated: str = ""
    concurrently: bool = False
    operations: tuple[ops.MigrateOperation, ...] = ()


def statements_in(operation: Any) -> tuple[Statement, ...]:
    """Return the statements of `op.execute`, `op.bulk_insert` or a data step; else none."""
    if isinstance(operation, ops.BulkInsertOp):
        return (Statement(writes=operation.table.name),)
    what = operation.sqltext if isinstance(operation, ops.ExecuteSQLOp) else operation
    if isinstance(what, UpdateBase):
        return (Statement(writes=str(getattr(what.entity_description["table"], "name", "?"))),)
    if isinstance(what, TextClause):
        what = what.text
    return tuple(_read(what)) if isinstance(what, str) else ()


def _read(sql: str) -> Iterator[Statement]:
    for text in map(str.strip, _UNREAD.sub(" ", sql).split(";")):
        data, altered, validated = _DATA.match(text), _SCHEMA.match(text), _VALIDATE.search(text)
        yield Statement(
            writes=_plain(data["table"]) if data else "",
            # Validating locks nobody out.
            alters=_plain(altered["table"]) if altered and not validated else "",
            validated=validated["name"] if validated else "",
            makes=table_made(text),
            concurrently=bool(_CONCURRENTLY.search(text)),
            operations=operations_in(text),
        )


def _plain(name: str) -> str:
    return name.replace('"', "")
