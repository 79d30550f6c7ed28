"""Missing: a table or a column that a statement names and the database does not have."""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy import exc

from ...._utils import first_line, redact
from ..errors import SchemaMissing, describe

__all__ = ["schema_missing"]

UNDEFINED: Final = ("42P01", "42703")

# What PostgreSQL and SQLite write, with the name in one group for each form.
_MISSING_TABLE: Final = re.compile(r'^(?:relation "(.+)" does not exist|no such table: (\S+))')
_MISSING_COLUMN: Final = re.compile(
    r'^(?:column "?(.+?)"?(?: of relation "(.+)")? does not exist'
    r"|no such column: (\S+)|table (\S+) has no column named (\S+))"
)


def schema_missing(error: BaseException) -> SchemaMissing | None:
    """Return the error for a table or column that is not there; None for any other failure."""
    if not isinstance(error, exc.DBAPIError):
        return None
    text = first_line(str(error.driver_exception))
    if match := _MISSING_TABLE.match(text):
        what = f"the table {match[1] or match[2]!r}"
    elif match := _MISSING_COLUMN.match(text):
        column, table, sqlite, sqlite_table, sqlite_column = match.groups()
        named = (table or sqlite_table, column or sqlite or sqlite_column)
        what = f"the column {'.'.join(filter(None, named))!r}"
    elif describe(error).sqlstate in UNDEFINED and "FROM-clause" not in text:
        what = f"a table or column ({redact(text)})"  # the server speaks another language
    else:
        return None
    return SchemaMissing(
        f"{what} does not exist",
        code="db.E026",
        hint="run: manage migrate (and manage makemigrations when the models changed)",
    )
