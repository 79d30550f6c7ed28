"""Facts: what a driver's error says, alike for every driver."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Index, PrimaryKeyConstraint, Table, UniqueConstraint, exc

from ...._utils import first_line

__all__ = ["Fault", "describe", "fault_of", "naming"]

SQLITE_STATES: Final = {
    "SQLITE_CONSTRAINT_UNIQUE": "23505",
    "SQLITE_CONSTRAINT_PRIMARYKEY": "23505",
    "SQLITE_CONSTRAINT_ROWID": "23505",
    "SQLITE_CONSTRAINT_FOREIGNKEY": "23503",
    "SQLITE_CONSTRAINT_NOTNULL": "23502",
    "SQLITE_CONSTRAINT_CHECK": "23514",
    "SQLITE_BUSY": "55P03",
    "SQLITE_BUSY_RECOVERY": "55P03",
    "SQLITE_BUSY_TIMEOUT": "55P03",
    "SQLITE_LOCKED": "55P03",
    # Waiting would not help: what the transaction has read is not the newest any more.
    "SQLITE_BUSY_SNAPSHOT": "40001",
    "SQLITE_TOOBIG": "22001",
    "SQLITE_CANTOPEN": "08001",
}
OUT_OF_RANGE: Final = "22003"
INVALID_TEXT: Final = "22021"
CONFLICTS: Final = frozenset({"23505", "23503", "23001", "23P01"})

# What SQLite writes: `UNIQUE constraint failed: account.name, account.place`, or the name of the
# index, or of the check.
_SQLITE_CONSTRAINT: Final = re.compile(
    r"^(?P<kind>UNIQUE|NOT NULL|CHECK) constraint failed: (?P<what>.+)$"
)
_SQLITE_INDEX: Final = re.compile(r"^index '(?P<name>.+)'$")
_PSYCOPG_NUL: Final = "cannot contain NUL (0x00)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The facts about a driver's error, alike for every driver; None where it does not tell.

    Attributes:
        sqlstate: The five characters of the SQL standard; SQLite's own names are translated.
        constraint: The name of the violated constraint. SQLite does not tell that of a foreign
            key, and of a unique one only where the statement was made from a model.
        table: Its table; SQLite tells it of unique and NOT NULL.
        column: The column that is NOT NULL and got no value.
    """

    sqlstate: str | None = None
    constraint: str | None = None
    table: str | None = None
    column: str | None = None

    @property
    def is_conflict(self) -> bool:
        """Whether the data clashes with rows that are there: unique, foreign key or exclusion."""
        return self.sqlstate in CONFLICTS


def describe(error: BaseException) -> Fault:
    """Return the facts about a database error; all None for an error of another kind.

    They are attributes of the errors of `fastforge.contrib.db.errors` too. This is for those that
    have no class there, and for errors of engines that fastforge has not made:

    ```python
    try:
        await db.execute(statement)
    except DBAPIError as error:
        if describe(error).sqlstate != "22012":  # a division by zero
            raise
    ```
    """
    if not isinstance(error, exc.DBAPIError):
        return Fault()
    known: Fault | None = getattr(error, "fault", None)
    if known is not None:
        return known
    return fault_of(_driver_exception(error))


def fault_of(driver: BaseException, table: Table | None = None) -> Fault:
    """Return the facts about what a driver has raised.

    Args:
        driver: Its own exception.
        table: That of the statement, if it is known.
    """
    name = getattr(driver, "sqlite_errorname", None)
    if name is not None:
        return _sqlite_fault(driver, SQLITE_STATES.get(name), table)
    diagnosis = getattr(driver, "diag", driver)
    return Fault(
        sqlstate=_state_of(driver),
        constraint=getattr(diagnosis, "constraint_name", None),
        table=getattr(diagnosis, "table_name", None),
        column=getattr(diagnosis, "column_name", None),
    )


def _state_of(driver: BaseException) -> str | None:
    for error in (driver, driver.__cause__):  # of a value that it cannot send: the server's name
        if isinstance(error, OverflowError):
            return OUT_OF_RANGE
        if isinstance(error, UnicodeEncodeError):  # half of a character
            return INVALID_TEXT
    state: str | None = getattr(driver, "sqlstate", None)
    return INVALID_TEXT if state is None and _PSYCOPG_NUL in str(driver) else state


def _driver_exception(error: exc.DBAPIError) -> BaseException:
    try:
        return error.driver_exception
    except ValueError:  # SQLAlchemy made it up, from nothing that a driver has raised
        return error


def _sqlite_fault(driver: BaseException, state: str | None, table: Table | None) -> Fault:
    found = _SQLITE_CONSTRAINT.match(first_line(str(driver)))
    if found is None:
        return Fault(sqlstate=state)
    kind, what = found["kind"], found["what"]
    if kind == "CHECK":
        return Fault(sqlstate=state, constraint=what, table=None if table is None else table.name)
    if index := _SQLITE_INDEX.match(what):
        owner = None if table is None else table.name
        return Fault(sqlstate=state, constraint=index["name"], table=owner)
    name, columns = _columns(what)
    if kind == "NOT NULL":
        return Fault(sqlstate=state, table=name, column=columns[0])
    same = table if table is not None and table.name == name else None
    return Fault(sqlstate=state, constraint=naming(same, columns), table=name)


def _columns(what: str) -> tuple[str, list[str]]:
    """Split `account.name, account.place`."""
    pairs = [part.rpartition(".") for part in what.split(", ")]
    return pairs[0][0], [column for _, _, column in pairs]


def naming(table: Table | None, columns: list[str]) -> str | None:
    """Return the name of what makes columns of a table unique, or None."""
    if table is None:
        return None
    constraints = (
        each
        for each in table.constraints
        if isinstance(each, UniqueConstraint | PrimaryKeyConstraint)
    )
    indexes = (each for each in table.indexes if each.unique)
    found: Any = next((each for each in (*constraints, *indexes) if _covers(each, columns)), None)
    return None if found is None or found.name is None else str(found.name)


def _covers(owner: UniqueConstraint | PrimaryKeyConstraint | Index, columns: list[str]) -> bool:
    return {column.name for column in owner.columns} == set(columns)
