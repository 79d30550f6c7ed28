"""Migration: one step of an app's schema, as its file declares it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from alembic.operations import Operations

__all__ = ["Migration", "Step"]

Step: TypeAlias = Callable[[Operations], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """A loaded migration file.

    Args:
        label: The label of the app that it belongs to.
        name: The file's name without `.py`, for example `0002_add_age`.
        path: The file.
        summary: The first line of its docstring.
        previous: The ids of the app's migrations right before it: none for the first one, two
            for one that joins branches.
        depends_on: The ids of other apps' migrations that have to come first.
        atomic: Whether PostgreSQL runs it in a transaction.
        safe: Why `lintmigrations` has nothing to say about it; empty when it may.
        upgrade: Makes the change.
        downgrade: Takes it back; None when the file has no such function.
    """

    label: str
    name: str
    path: Path
    summary: str
    previous: tuple[str, ...]
    depends_on: tuple[str, ...]
    atomic: bool
    upgrade: Step = field(compare=False, repr=False)
    downgrade: Step | None = field(compare=False, repr=False)
    safe: str = ""

    @property
    def id(self) -> str:
        """The name under which the database remembers it: `blog.0002_add_age`."""
        return f"{self.label}.{self.name}"

    @property
    def number(self) -> int:
        """The number that its file's name begins with."""
        return int(self.name.partition("_")[0])

    @property
    def requires(self) -> tuple[str, ...]:
        """The ids of all migrations that come before it at once."""
        return self.previous + self.depends_on
