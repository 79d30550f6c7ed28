"""The jobs table: jobs that live in the project's own database, and in its transactions.

Names are imported when they are used, so that reading the settings loads no SQLAlchemy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .models import Job as Job
    from .store import JobStore as JobStore

_LAZY = {"Job": "models", "JobStore": "store"}

__all__ = ["Job", "JobStore"]


def __getattr__(name: str) -> object:
    from ..._utils import lazy_attribute

    return lazy_attribute(__name__, _LAZY, name)
