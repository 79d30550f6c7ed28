"""Current: the unit of work of what runs here, also for the engine, which all others build on."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final, Protocol

from starlette.types import Scope

__all__ = ["Unit", "current_unit", "unit_here"]


class Stand(Protocol):
    """Where a session stands."""

    @property
    def depth(self) -> int:
        """In how many blocks of `atomic`."""
        ...

    @property
    def streams(self) -> int:
        """How many streams are open outside of them."""
        ...

    @property
    def pin(self) -> object | None:
        """What holds its one connection, inside `pinned()`."""
        ...


class OpenSession(Protocol):
    """What the engine, its pool and its observers know of a session."""

    @property
    def guarded(self) -> Stand:
        """Where it stands."""
        ...

    @property
    def in_atomic(self) -> bool:
        """Whether what is written now belongs to a transaction."""
        ...


class Unit(Protocol):
    """What those below the sessions know of a unit of work."""

    @property
    def scope(self) -> Scope:
        """What tells whose it is."""
        ...

    @property
    def opened(self) -> OpenSession | None:
        """The session of the default database; None until somebody has asked for it."""
        ...

    def opened_of(self, name: str, /) -> OpenSession | None:
        """Return the session of a database by its name in DATABASES."""
        ...


unit_here: Final[ContextVar[Unit | None]] = ContextVar("fastforge_unit", default=None)
"""Set by `use_unit` and the layer of a request; others read it with `current_unit`."""


def current_unit() -> Unit | None:
    """Return the unit of what runs here, also one that has ended; None where there is none."""
    return unit_here.get()
