"""Reading: views of a pool, and databases, through which nothing is written; and who has written.

What a view refuses stands in an execution option, and is looked at where the dialect calls the
driver: an event of SQLAlchemy's there would cost each statement thirty times as much.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Engine

from ..errors import DatabaseError, WriteOutsideAtomic
from ..sessions.statements import first_words, is_read
from .calls import Execute, wrap_calls

__all__ = [
    "REFUSAL",
    "WROTE",
    "outside_atomic",
    "read_only_database",
    "read_only_transaction",
    "refuse_writes",
]

REFUSAL: Final = "fastforge_refusal"
"""The execution option that makes the error for a statement that does not only read, of its
beginning; None where everything may be written."""

WROTE: Final = "fastforge_wrote"
"""In a connection's `info`: something was written since it was taken out of the pool."""

_CONTROL: Final = re.compile(r"BEGIN\b|(?:RELEASE |ROLLBACK TO )?SAVEPOINT\b")
"""What SQLAlchemy and the hooks of SQLite say inside a transaction."""


def refuse_writes(engine: Engine) -> None:
    """Refuse what does not only read where REFUSAL says so, whatever way it came; note the rest.

    Args:
        engine: An engine that nobody uses yet; all its views have the hook.
    """
    wrap_calls(engine.dialect, _refusing)


def _refusing(call: Execute) -> Execute:
    def refusing(cursor: Any, sql: str, parameters: Any, context: Any = None) -> None:
        if context is not None and _writes(sql, context):
            _refuse_or_note(sql, context)
        call(cursor, sql, parameters, context)

    return refusing


def _writes(sql: str, context: Any) -> bool:
    # What is no text of the user's says it itself: that of a thousand rows is long.
    is_compiled: bool = context.isinsert or context.isupdate or context.isdelete
    return is_compiled or not is_read(sql)


def _refuse_or_note(sql: str, context: Any) -> None:
    refusal = context.execution_options.get(REFUSAL)
    is_control = _CONTROL.match(sql) is not None
    if refusal is not None and (refusal is outside_atomic or not is_control):
        raise refusal(first_words(sql))
    if not is_control:
        context.root_connection.info[WROTE] = True


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
