"""Current: the unit of work of what runs here, also for the engine, which all others build on."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .unit import UnitOfWork

__all__ = ["current_unit", "unit_here"]

unit_here: Final[ContextVar[UnitOfWork | None]] = ContextVar("fastforge_unit", default=None)
"""Set by `entered_unit`; others read it with `current_unit`."""


def current_unit() -> UnitOfWork | None:
    """Return the unit of what runs here, also one that has ended; None where there is none."""
    return unit_here.get()
