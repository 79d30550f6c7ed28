"""The kind of components that this app introduces."""

from __future__ import annotations

from typing import Final

from ...components import Kind
from .store import SessionBackend

__all__ = ["SESSION_STORES"]

SESSION_STORES: Final[Kind[SessionBackend]] = Kind(
    name="session_stores",
    type=SessionBackend,
    module="session_stores",
    key=lambda backend: backend.name,
)
