"""Sessions of browsers on the server, logins by cookie, and protection against CSRF.

Names are imported when they are used, so that reading the settings loads neither FastAPI nor
SQLAlchemy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .csrf import csrf_exempt as csrf_exempt
    from .dependencies import Session as Session
    from .errors import CsrfRefused as CsrfRefused
    from .errors import NoSession as NoSession
    from .errors import SessionEnded as SessionEnded
    from .errors import SessionError as SessionError
    from .errors import SessionTooLarge as SessionTooLarge
    from .errors import SessionTooLate as SessionTooLate
    from .logins import end_all_sessions as end_all_sessions
    from .logins import end_sessions as end_sessions
    from .logins import log_in as log_in
    from .logins import log_out as log_out
    from .session import WebSession as WebSession
    from .settings import Sessions as Sessions
    from .store import SessionBackend as SessionBackend
    from .store import SessionStore as SessionStore
    from .template_helpers import csrf_input as csrf_input
    from .template_helpers import csrf_token as csrf_token

_LAZY = {
    "CsrfRefused": "errors",
    "NoSession": "errors",
    "Session": "dependencies",
    "SessionBackend": "store",
    "SessionEnded": "errors",
    "SessionError": "errors",
    "SessionStore": "store",
    "SessionTooLarge": "errors",
    "SessionTooLate": "errors",
    "Sessions": "settings",
    "WebSession": "session",
    "csrf_exempt": "csrf",
    "csrf_input": "template_helpers",
    "csrf_token": "template_helpers",
    "end_all_sessions": "logins",
    "end_sessions": "logins",
    "log_in": "logins",
    "log_out": "logins",
}

__all__ = [
    "CsrfRefused",
    "NoSession",
    "Session",
    "SessionBackend",
    "SessionEnded",
    "SessionError",
    "SessionStore",
    "SessionTooLarge",
    "SessionTooLate",
    "Sessions",
    "WebSession",
    "csrf_exempt",
    "csrf_input",
    "csrf_token",
    "end_all_sessions",
    "end_sessions",
    "log_in",
    "log_out",
]


def __getattr__(name: str) -> object:
    from ..._utils import lazy_attribute

    return lazy_attribute(__name__, _LAZY, name)
