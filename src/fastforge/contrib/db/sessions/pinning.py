"""Pin: one connection for everything that a session does for a while."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine

from ..engine import Engines
from ..errors import TransactionFailed
from ..pool.reading import REFUSAL
from ..pool.sqlite import BEGIN

__all__ = ["Pin"]


class Pin:
    """A connection of its own for a session; it has to be made and dropped in a greenlet.

    What a view of the pool says about its connections is said to this one each time that the
    session goes from one view to another, which happens between transactions only.

    Args:
        engines: The views of the pool.
    """

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._connection = engines.write.connect()
        self._view = engines.write

    def connection(self, view: Engine) -> Connection:
        """Return the connection, as it is in a view.

        Raises:
            TransactionFailed: It has been lost.
        """
        if self._connection.invalidated:
            raise TransactionFailed(
                "the connection of `pinned()` was lost, and what it held with it: its locks, its"
                " temporary tables",
                code="db.E039",
                hint="let the error through; open `pinned()` again and do all of it anew",
            )
        if view is not self._view:
            options = {**self._plain_options(), **view.get_execution_options()}
            self._connection.execution_options(**options)
            self._view = view
        return self._connection

    def drop(self) -> None:
        """Close the connection: whoever had it next would find its locks."""
        self._connection.invalidate()
        self._connection.close()

    def _plain_options(self) -> dict[str, Any]:
        """Return what undoes the options of every other view."""
        write = self._engines.write
        refusal = write.get_execution_options().get(REFUSAL)
        if self._engines.config.is_sqlite:
            return {REFUSAL: refusal, BEGIN: "BEGIN IMMEDIATE"}
        return {REFUSAL: refusal, "isolation_level": write.dialect.default_isolation_level}
