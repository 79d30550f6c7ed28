"""What a developer should know of the database: migrations that it does not have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from sqlalchemy import exc

from ...lifecycle import current_container, notice, provide
from .faults.unavailable import unavailable
from .migrations import ledger
from .migrations.known import Difference, known_migrations
from .resources import DEFAULT, DatabaseConnection, databases

__all__ = ["unapplied_migrations"]


@notice
async def unapplied_migrations(
    connections: Annotated[Mapping[str, DatabaseConnection], provide(databases)],
) -> list[str]:
    """Count the migrations that only the files or only a database have.

    Where a file is missed that others require, `migrate` would say that, and so does this.
    """
    known = known_migrations(current_container().settings)
    lines: list[str] = []
    for name, connection in connections.items():
        if not connection.config.read_only:
            difference = known.compared_with(await _applied(connection))
            if difference.broken:
                return [str(difference.broken)]  # of the files, and so for every database
            lines += _lines(difference, "" if name == DEFAULT else name)
    return lines


async def _applied(connection: DatabaseConnection) -> set[str]:
    try:
        return await ledger.read(connection.engines)
    except (exc.SQLAlchemyError, OSError, TimeoutError) as error:
        raise unavailable(connection.config, error) from error


def _lines(difference: Difference, name: str) -> Iterator[str]:
    """Yield the lines of one database; the default one has no name."""
    if number := len(difference.unapplied):
        are = "migration is" if number == 1 else "migrations are"
        yield f"{number} {are} not applied: manage migrate{f' --database {name}' if name else ''}"
    if difference.ahead:
        first, *others = difference.ahead
        more = f" and {len(others)} more" if others else ""
        which = f"the database {name!r}" if name else "the database"
        yield f"{which} is ahead of this code: it has {first}{more}"
