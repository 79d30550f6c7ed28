"""Progress: whether a request has committed anything, which decides what its client is told."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

__all__ = ["Progress", "note_commit", "progress_here", "something_is_committed"]


class Progress:
    """What a request has done for good so far, in whatever session or connection.

    Attributes:
        committed: Whether a transaction has been committed.
    """

    __slots__ = ("committed",)

    def __init__(self) -> None:
        self.committed = False


progress_here: Final[ContextVar[Progress | None]] = ContextVar("fastforge_progress", default=None)
"""That of the request; tasks that it starts share it."""


def note_commit() -> None:
    """Keep in mind that what runs here has committed something."""
    progress = progress_here.get()
    if progress is not None:
        progress.committed = True


def something_is_committed() -> bool:
    """Return whether what runs here would do a thing twice if it were run again."""
    progress = progress_here.get()
    return progress is not None and progress.committed
