"""Rows: what a test has committed, deleted, and the rows that migrations wrote, back again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = ["Rows"]

MOST_ROWS: Final = 10_000
"""Of migrations, that are written again; more are cheaper to copy with the whole database."""
FIRST_OF_USERS: Final = 16384
"""The first number that PostgreSQL gives to what a user creates."""

_SCHEMA: Final = f"""
SELECT md5(string_agg(line, ',' ORDER BY line)) FROM (
    SELECT 'c' || oid || ' ' || xmin AS line FROM pg_class WHERE oid >= {FIRST_OF_USERS}
    UNION ALL SELECT 'a' || attrelid || ' ' || attnum || ' ' || xmin FROM pg_attribute
        WHERE attrelid >= {FIRST_OF_USERS}
    UNION ALL SELECT 'k' || oid || ' ' || xmin FROM pg_constraint WHERE oid >= {FIRST_OF_USERS}
    UNION ALL SELECT 'd' || oid || ' ' || xmin FROM pg_attrdef WHERE oid >= {FIRST_OF_USERS}
    UNION ALL SELECT 't' || oid || ' ' || xmin FROM pg_trigger WHERE oid >= {FIRST_OF_USERS}
    UNION ALL SELECT 'p' || oid || ' ' || xmin FROM pg_proc WHERE oid >= {FIRST_OF_USERS}
    UNION ALL SELECT 'y' || oid || ' ' || xmin FROM pg_type WHERE oid >= {FIRST_OF_USERS}
    UNION ALL SELECT 'e' || oid || ' ' || xmin FROM pg_enum WHERE oid >= {FIRST_OF_USERS}
    UNION ALL SELECT 'n' || oid || ' ' || xmin FROM pg_namespace WHERE oid >= {FIRST_OF_USERS}
) AS lines
"""
_TABLES: Final = f"""
SELECT c.oid::bigint, format('%I.%I', n.nspname, c.relname),
    (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '')
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid >= {FIRST_OF_USERS} AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND deptype = 'e')
ORDER BY c.oid
"""
_REFERENCES: Final = """
SELECT conrelid::bigint, confrelid::bigint FROM pg_constraint
WHERE contype = 'f' AND conrelid <> confrelid
"""
_SEQUENCES: Final = f"""
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid >= {FIRST_OF_USERS} AND c.relkind = 'S'
"""
_TRIGGERS: Final = f"""
SELECT EXISTS (SELECT FROM pg_trigger WHERE oid >= {FIRST_OF_USERS} AND NOT tgisinternal)
"""


class Rows:
    """How the rows of a database were, and the one script that makes them so again.

    Args:
        schema: What the schema was, in short.
        script: Deletes all rows, the referring ones first, writes those of migrations, and sets
            the sequences back. None where it could not: tables that refer to each other in a
            circle, triggers, or many rows.
    """

    def __init__(self, schema: str, script: str | None) -> None:
        self._schema = schema
        self._script = script

    @classmethod
    async def of(cls, connection: AsyncConnection) -> Rows:
        """Look at a database."""
        schema = str(await connection.scalar(text(_SCHEMA)))
        return cls(schema, await _script(connection))

    async def restore(self, connection: AsyncConnection) -> bool:
        """Make the rows as they were; False where only a new database would be right."""
        if self._script is None or await connection.scalar(text(_SCHEMA)) != self._schema:
            return False
        raw = await connection.get_raw_connection()
        driver: Any = raw.driver_connection
        # All of it in one round trip, and in one transaction. Without being prepared: only so may
        # it be several statements.
        options = {"prepare": False} if hasattr(driver, "pgconn") else {}
        await driver.execute(self._script, **options)
        return True


async def _script(connection: AsyncConnection) -> str | None:
    tables = (await connection.execute(text(_TABLES))).all()
    references = (await connection.execute(text(_REFERENCES))).all()
    order = _referring_first([row[0] for row in tables], [(row[0], row[1]) for row in references])
    if order is None or await connection.scalar(text(_TRIGGERS)):
        return None
    found = {row[0]: (row[1], row[2]) for row in tables}
    filled = await _filled(connection, [found[oid][0] for oid in order])
    inserts: list[str] = []
    for oid in reversed(order):
        name, columns = found[oid]
        if name in filled:
            lines = await _lines(connection, name)
            if len(lines) > MOST_ROWS:
                return None
            inserts.append(_insert(name, columns, lines))
    deletes = [f"DELETE FROM {found[oid][0]}" for oid in order]
    return ";\n".join([*deletes, *inserts, *await _sequences(connection)]) or "SELECT 1"


def _referring_first(
    tables: Sequence[int], references: Iterable[tuple[int, int]]
) -> list[int] | None:
    graph: dict[int, set[int]] = {table: set() for table in tables}
    for referring, referred in references:
        if referring in graph and referred in graph:
            graph[referred].add(referring)
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError:
        return None


async def _filled(connection: AsyncConnection, tables: list[str]) -> set[str]:
    if not tables:
        return set()
    asked = " UNION ALL ".join(
        f"SELECT {number} WHERE EXISTS (SELECT FROM {table})" for number, table in enumerate(tables)
    )
    found = await connection.exec_driver_sql(asked)
    return {tables[number] for number in found.scalars()}


async def _lines(connection: AsyncConnection, table: str) -> list[str]:
    """Return rows as PostgreSQL writes them, which reads each type as it wrote it."""
    found = await connection.exec_driver_sql(
        f"SELECT row::text FROM {table} AS row LIMIT {MOST_ROWS + 1}"
    )
    return [row[0] for row in found]


def _insert(table: str, columns: str, lines: Iterable[str]) -> str:
    written = ", ".join(_literal(line) for line in lines)
    return (
        f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns}"
        f" FROM unnest(ARRAY[{written}]::text[]) AS raw(line),"
        f" LATERAL (SELECT (raw.line::{table}).*) AS row"
    )


def _literal(value: str) -> str:
    return "E'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


async def _sequences(connection: AsyncConnection) -> list[str]:
    found = await connection.execute(text(_SEQUENCES))
    steps: list[str] = []
    for name in found.scalars().all():
        state = await connection.exec_driver_sql(f"SELECT last_value, is_called FROM {name}")
        value, is_called = tuple[Any, ...](state.one())
        steps.append(f"SELECT setval('{name.replace(chr(39), chr(39) * 2)}', {value}, {is_called})")
    return steps
