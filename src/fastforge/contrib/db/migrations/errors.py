"""What can go wrong with migrations, as classes that a caller may want to tell apart.

CommandError                exit code 2
└── MigrationError          everything below
    ├── MigrationFileError  a file does not load, has a wrong form or cannot be replayed
    ├── ChangeRefused       a change of the models that would lose data or fail
    ├── MigrationFailed     the database refused a step
    ├── MigrationLockHeld   another process migrates and does not finish in time
    ├── MigrationsBehind    the database lacks migrations that this code has: exit code 1
    └── DatabaseAhead       the database has migrations that this code does not have: exit code 4
"""

from __future__ import annotations

from typing import ClassVar

from ....exceptions import CommandError

__all__ = [
    "ChangeRefused",
    "DatabaseAhead",
    "MigrationError",
    "MigrationFailed",
    "MigrationFileError",
    "MigrationLockHeld",
    "MigrationsBehind",
]


class MigrationError(CommandError):
    """Migrations cannot be made or run as asked."""


class MigrationFileError(MigrationError):
    """A migration file does not load, has a wrong form or cannot be replayed."""


class ChangeRefused(MigrationError):
    """The models changed in a way that needs a decision before a file is written."""


class MigrationFailed(MigrationError):
    """A migration could not be applied; the message tells what is left of it."""


class MigrationLockHeld(MigrationError):
    """Another process holds the migration lock."""


class MigrationsBehind(MigrationError):
    """The database does not have all migrations of this code."""

    exit_code: ClassVar[int] = 1


class DatabaseAhead(MigrationError):
    """The database has migrations that this code does not know."""

    exit_code: ClassVar[int] = 4
