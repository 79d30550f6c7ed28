"""Sessions: those of a test, which never give up the one connection that it has."""

from __future__ import annotations

from sqlalchemy import text

from ..sessions.guarded import GuardedSession
from ..sessions.pinning import Pin
from ..sessions.session import Session

__all__ = ["SessionInTest"]


class _SharedPin(Pin):
    """A pin whose connection goes on: with it all that the test has written would be gone."""

    def drop(self) -> None:
        """Give the connection back as a new one would be: without locks and temporary tables."""
        connection = self.connection(self._engines.write)
        if not self._engines.config.is_sqlite:
            for statement in ("SELECT pg_advisory_unlock_all()", "DISCARD TEMP", "RESET ALL"):
                connection.execute(text(statement))
            connection.commit()
        connection.close()


class _GuardedSessionInTest(GuardedSession):
    """Pins what is shared."""

    def hold(self) -> None:
        """Use one connection from now on: for the whole block it is this session's turn."""
        with self._connected():
            self.pin = _SharedPin(self.engines)


class SessionInTest(Session):
    """A session as in production, on the one connection of a test."""

    sync_session_class = _GuardedSessionInTest
