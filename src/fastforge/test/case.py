"""Case: the test that runs, as far as the set-ups of apps ask about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .loops import Loop

__all__ = ["Case", "current_case", "prepared_for"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test.

    Attributes:
        name: As pytest calls it.
        loop: The event loop that it will run on; None where it is no `async def`.
        commits: Whether others than this event loop look at what the test writes: a server in a
            thread, a command, another process.
        cache: A folder that set-ups may keep things in from session to session.
        anew: What the session is called by which set-ups are to make anew what they have kept;
            the same in all of its parallel workers, and empty where nobody asks for it.
    """

    name: str
    loop: Loop | None = None
    commits: bool = True
    cache: Path | None = None
    anew: str = ""


_current: Final[ContextVar[Case | None]] = ContextVar("fastforge_case", default=None)


def current_case() -> Case | None:
    """Return the test that a set-up prepares now; None where pytest does not run it."""
    return _current.get()


@contextmanager
def prepared_for(case: Case | None) -> Iterator[None]:
    """Let the set-ups that run in a block know their test."""
    token = _current.set(case)
    try:
        yield
    finally:
        _current.reset(token)
