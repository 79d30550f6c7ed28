"""What is sent to a database, as its driver is given it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from fastforge.contrib.db.resources import DatabaseConnection


@contextmanager
def sent(db: DatabaseConnection) -> Iterator[list[tuple[str, Any]]]:
    """Note the statements of a block, and their parameters; BEGIN and COMMIT are not among them."""
    noted: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, text: str, parameters: Any, *_: Any) -> None:
        if not text.startswith("BEGIN"):
            noted.append((text, parameters))

    sa.event.listen(db.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield noted
    finally:
        sa.event.remove(db.engine.sync_engine, "before_cursor_execute", note)


async def plans(db: DatabaseConnection, statements: list[tuple[str, Any]]) -> str:
    """Say how the database would run them."""
    is_sqlite = db.engine.dialect.name == "sqlite"
    word = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
    found: list[str] = []
    async with db.engine.begin() as connection:
        if not is_sqlite:  # so small a table is read whole else
            await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        for text, parameters in statements:
            rows = await connection.exec_driver_sql(f"{word} {text}", parameters)
            found += [str(row) for row in rows]
    return "\n".join(found)
