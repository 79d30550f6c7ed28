"""Events: the lines by which one sees afterwards whose browser came, went, or was turned away."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

__all__ = ["CSRF_REFUSED", "LOGGED_IN", "LOGGED_OUT", "UNREADABLE", "SessionEvent", "logger"]

logger: Final = logging.getLogger("fastforge.sessions")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEvent:
    """Something about a browser's session that is told in the log.

    Args:
        name: What its line is called.
        level: How serious it is.
        help: What it means.
    """

    name: str
    level: int
    help: str

    def tell(self, **fields: str) -> None:
        """Write the line: whom it is about, and why; never what a cookie or a session holds."""
        logger.log(self.level, self.name, extra=fields)


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
