"""Readiness: whether the databases have the migrations that this code needs."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Final

from .engine import Engines
from .migrations import ledger
from .migrations.errors import MigrationsBehind
from .migrations.known import Difference, KnownMigrations
from .settings import Database

__all__ = ["MigrationWatch", "is_waited_for"]

logger = logging.getLogger("fastforge.contrib.db")

CACHE_S: Final = 5.0
"""How long a database that is behind is not asked again."""


def is_waited_for(database: Database, environment: str) -> bool:
    """Return whether a process that serves is not ready before a database is migrated.

    One that a process can do without is not; nor is a replica, which follows another.
    """
    is_needed = database.required and not database.read_only
    return is_needed and database.ready_when_migrated and environment != "development"


class MigrationWatch:
    """Looks at the ledgers of databases until they have every migration, and then no more.

    A database that is ahead is as good as one that is level: newer code has migrated it, and this
    process serves until it is replaced.

    Args:
        databases: Those to look at, by name.
        known: The migrations of this code.
    """

    def __init__(self, databases: Mapping[str, Engines], known: KnownMigrations) -> None:
        self._behind = dict(databases)
        self._known = known
        self._missing: dict[str, Difference] = {}
        self._until = 0.0

    async def check(self) -> None:
        """Do nothing when all is applied; one small query to each database that is behind.

        Raises:
            MigrationsBehind: A database lacks migrations.
        """
        if self._behind and time.monotonic() >= self._until:
            await self._look()
        for name, difference in self._missing.items():
            raise self._error(name, difference)

    async def _look(self) -> None:
        missing: dict[str, Difference] = {}
        for name, engines in tuple(self._behind.items()):
            difference = self._known.compared_with(await ledger.read(engines))
            if difference.unapplied:
                missing[name] = difference
            else:
                del self._behind[name]
        if missing != self._missing:
            for name, difference in missing.items():
                logger.warning("not ready: %s", self._error(name, difference).message)
        self._missing = missing
        self._until = time.monotonic() + CACHE_S

    def _error(self, name: str, difference: Difference) -> MigrationsBehind:
        first, *others = difference.unapplied
        more = f" and {len(others)} more" if others else ""
        lacks = f"the database {name!r} lacks {first}{more}"
        if broken := difference.broken:
            return MigrationsBehind(
                f"{lacks}, and migrate refuses: [{broken.code}] {broken.message}",
                code="db.E155",
                hint=broken.hint,
                where=broken.where,
            )
        which = "" if name == "default" else f" --database {name}"
        return MigrationsBehind(lacks, code="db.E155", hint=f"run: manage migrate{which}")
