"""Calls: the three ways in which a dialect calls its driver to run a statement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

__all__ = ["Execute", "wrap_calls"]

Execute: TypeAlias = Callable[..., None]
"""Takes a cursor, the SQL, its parameters and SQLAlchemy's context."""


def wrap_calls(dialect: Any, wrap: Callable[[Execute], Execute]) -> None:
    """Wrap each of them."""
    dialect.do_execute = wrap(dialect.do_execute)
    dialect.do_executemany = wrap(dialect.do_executemany)
    plain = dialect.do_execute_no_params
    wrapped = wrap(lambda cursor, sql, _, context=None: plain(cursor, sql, context))
    dialect.do_execute_no_params = lambda cursor, sql, context=None: wrapped(
        cursor, sql, None, context
    )
