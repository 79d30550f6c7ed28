"""The transactions of the default database, for what is kept outside of it and waits for them."""

from __future__ import annotations

from typing import Final

from ...lifecycle import Transactions
from .sessions.session import Session
from .sessions.unit import current_session

__all__ = ["DATABASE"]


def _current() -> Session | None:
    session = current_session()
    return session if session is not None and session.in_atomic else None


DATABASE: Final = Transactions(name="database", current=_current)
