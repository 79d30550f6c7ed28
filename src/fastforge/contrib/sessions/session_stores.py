"""The store that this app declares."""

from __future__ import annotations

from typing import Final

from .database import DatabaseSessions
from .settings import DATABASE_STORE
from .store import SessionBackend

__all__ = ["DATABASE"]

DATABASE: Final = SessionBackend(name=DATABASE_STORE, open=lambda _: DatabaseSessions())
