"""Progress: whether a request has committed anything, which decides what its client is told."""

from __future__ import annotations

from typing import Final

from .current import current_unit

__all__ = ["AGAIN", "PARTLY", "note_commit", "something_is_committed"]

AGAIN: Final = "nothing has been written; try again"
PARTLY: Final = "a part of this has been written: look before you try again"

COMMITTED: Final = "fastforge.committed"
"""The key of a unit's scope that says so: those that are opened inside of it have the same one."""


def note_commit() -> None:
    """Keep in mind that what runs here has written something for good, in whatever session."""
    unit = current_unit()
    if unit is not None:
        unit.scope[COMMITTED] = True


def something_is_committed() -> bool:
    """Return whether what runs here would do a thing twice if it were run again."""
    unit = current_unit()
    return unit is not None and COMMITTED in unit.scope
