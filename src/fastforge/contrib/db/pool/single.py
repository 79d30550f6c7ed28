"""Single: a connection whose statements stand for themselves, for as long as one of them runs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine

from .sqlite import BEGIN

__all__ = ["Single"]


class Single:
    """A connection out of the pool that commits each statement; it is made in a greenlet.

    SQLAlchemy's AUTOCOMMIT does the same by an event, and one event on an engine lets every
    statement take the way on which all events are looked for.

    Args:
        view: The view of the pool.
    """

    __slots__ = ("_driver", "connection")

    def __init__(self, view: Engine) -> None:
        self.connection = view.connect()
        self._driver: Any = _says_so(view) and self.connection.connection.dbapi_connection
        try:
            if self._driver:
                view.dialect.set_isolation_level(self._driver, "AUTOCOMMIT")
        except BaseException:
            self.connection.close()
            raise

    def close(self) -> None:
        """Give the connection back as it was."""
        connection = self.connection
        try:
            if self._driver and not connection.invalidated:
                connection.dialect.reset_isolation_level(self._driver)
        except Exception:  # what cannot be put back must not be met by the next one
            connection.invalidate()
        finally:
            connection.close()


def _says_so(view: Engine) -> bool:
    """Return whether it is said to the driver; what only reads, and SQLite, begins otherwise."""
    options = view.get_execution_options()
    return BEGIN not in options and "postgresql_readonly" not in options
