"""What ends sessions where all logins are ended: `revoke_user`, `revoke_everybody`."""

from __future__ import annotations

from typing import Final

from ..auth import Revoker
from .logins import end_all_sessions, end_sessions

__all__ = ["SESSIONS"]

SESSIONS: Final = Revoker(name="sessions", of_user=end_sessions, of_everybody=end_all_sessions)
