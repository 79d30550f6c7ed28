"""Events: the lines by which one sees afterwards whose browser came, went, or was turned away."""

from __future__ import annotations

import logging
from typing import Final

from ...observability.audit import AuditEvent

__all__ = ["CSRF_REFUSED", "LOGGED_IN", "LOGGED_OUT", "UNREADABLE", "SessionEvent"]


class SessionEvent(AuditEvent):
    """Something about a browser's session that is told in the log."""

    __slots__ = ()

    def tell(self, user_id: object = None, *, reason: str = "", key: str = "") -> None:
        """Write the line.

        Args:
            user_id: Whom it is about, if that is known.
            reason: Why not.
            key: What is not readable, by its name in the session.
        """
        self.write(user_id, reason=reason, key=key)


LOGGED_IN: Final = SessionEvent(
    name="sessions.logged_in",
    level=logging.INFO,
    help="A browser's session is a user's from now on.",
)
LOGGED_OUT: Final = SessionEvent(
    name="sessions.logged_out",
    level=logging.INFO,
    help="A user's sessions were ended: that of one browser, or all of them.",
)
CSRF_REFUSED: Final = SessionEvent(
    name="sessions.csrf_refused",
    level=logging.WARNING,
    help="A request that would change something with the cookie did not come from a page of ours.",
)
UNREADABLE: Final = SessionEvent(
    name="sessions.unreadable",
    level=logging.WARNING,
    help="What a session holds under a key does not fit the type that was asked for.",
)
