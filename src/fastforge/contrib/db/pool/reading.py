"""Reading: views of a pool, and databases, through which nothing is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Engine, event

from ..errors import DatabaseError, WriteOutsideAtomic
from ..statements import first_words, is_read

__all__ = ["outside_atomic", "read_only_database", "read_only_transaction", "refuse_writes"]

_CONTROL: Final = re.compile(r"BEGIN\b|(?:RELEASE |ROLLBACK TO )?SAVEPOINT\b")
"""What SQLAlchemy and the hooks of SQLite say inside a transaction."""


def refuse_writes(view: Engine, refusal: Callable[[str], Exception]) -> Engine:
    """Refuse what does not only read, whatever way it came: ORM, Core, text or driver SQL.

    Args:
        view: An engine that nobody uses yet.
        refusal: Makes the error, of the beginning of the statement.
    """
    controls = refusal is not outside_atomic

    @event.listens_for(view, "before_cursor_execute")
    def refuse(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not is_read(statement) and not (controls and _CONTROL.match(statement)):
            raise refusal(first_words(statement))

    return view


def outside_atomic(words: str) -> Exception:
    """Return the error for a write without a transaction."""
    return WriteOutsideAtomic(
        f"this statement does not only read, and there is no transaction: {words}",
        code="db.E001",
        hint="put it inside `async with db.atomic():`",
    )


def read_only_transaction(words: str) -> Exception:
    """Return the error for a write in a transaction that was opened to read."""
    return WriteOutsideAtomic(
        f"this statement does not only read, and its transaction does: {words}",
        code="db.E042",
        hint="leave out read_only=True where something is written",
    )


def read_only_database(name: str) -> Callable[[str], Exception]:
    """Return what makes the error for a write to a database that is only read.

    Args:
        name: Its name in DATABASES.
    """

    def refusal(words: str) -> Exception:
        return DatabaseError(
            f"this statement does not only read, and the database {name!r} is read only: {words}",
            code="db.E043",
            hint="write to the database that it copies",
        )

    return refusal
