"""What can go wrong with sessions.

ForgeError
└── SessionError
    ├── NoSession           there is no request here whose session it could be
    ├── SessionTooLate      the answer has begun, or a socket has no answer: nothing would be saved
    ├── SessionTooLarge     it holds more than SESSIONS.max_bytes
    ├── SessionEnded        somebody ended it while the request was answered: 409
    └── CsrfRefused         another site's page has sent the request: 403
"""

from __future__ import annotations

from typing import ClassVar

from ...exceptions import ForgeError

__all__ = [
    "CsrfRefused",
    "NoSession",
    "SessionEnded",
    "SessionError",
    "SessionTooLarge",
    "SessionTooLate",
]


class SessionError(ForgeError):
    """Something about a browser's session cannot be done."""


class NoSession(SessionError):
    """There is no request here whose session it could be."""


class SessionTooLate(SessionError):
    """The session was changed where nothing would save it."""


class SessionTooLarge(SessionError):
    """The session holds more than it may."""


class SessionEnded(SessionError):
    """Somebody ended the session meanwhile: what this request has changed in it is not kept."""

    status: ClassVar[int] = 409


class CsrfRefused(SessionError):
    """A request that would change something did not come from a page of ours."""

    status: ClassVar[int] = 403
