"""What a database's own catalogue says of its schema: compared before, after and after that."""

from __future__ import annotations

import warnings
from typing import Any

import sqlalchemy as sa

from fastforge.contrib.db.engine import Engines
from fastforge.contrib.db.migrations.ledger import TABLE_NAME

COLUMNS = """
    SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
        pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text,
        col_description(c.oid, a.attnum)
    FROM pg_attribute AS a
    JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped AND {ours}
"""
CONSTRAINTS = """
    SELECT n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid), k.convalidated
    FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE {ours}
"""
INDEXES = """
    SELECT n.nspname, c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index AS i
    JOIN pg_class AS c ON c.oid = i.indrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE {ours}
"""
TYPES = """
    SELECT n.nspname, t.typname, array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
    FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
    JOIN pg_enum AS e ON e.enumtypid = t.oid WHERE {ours} GROUP BY 1, 2
"""
TABLES = """
    SELECT n.nspname, c.relname, c.relkind::text, obj_description(c.oid) FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'S', 'v') AND {ours}
"""
OURS = "n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"


async def catalogue(engines: Engines) -> list[str]:
    """Every fact of a schema as a line; the order of a table's columns is none of them.

    Nor is the ledger, which the first migration makes.
    """
    async with engines.engine.connect() as connection:
        if engines.engine.dialect.name == "sqlite":
            found = await connection.run_sync(_sqlite)
        else:
            found = []
            for query in (TABLES, COLUMNS, CONSTRAINTS, INDEXES, TYPES):
                rows = await connection.exec_driver_sql(query.format(ours=OURS))
                found.extend(repr(tuple(row)) for row in rows)
    return sorted(line for line in found if TABLE_NAME not in line)


def _sqlite(connection: sa.Connection) -> list[str]:
    found: list[str] = []
    objects = connection.exec_driver_sql("SELECT type, name, tbl_name, sql FROM sqlite_master")
    for kind, name, table, sql in objects.all():
        if kind != "table":
            found.append(f"{kind} {name} on {table}: {_plain(sql)}")
            continue
        columns = connection.exec_driver_sql(f'PRAGMA table_xinfo("{name}")').all()
        found.extend(f"column {name}.{row[1]} {_plain(str(tuple(row[2:])))}" for row in columns)
        found.extend(f"{name}: {line}" for line in _constraints(connection, name))
    return sorted(found)


def _constraints(connection: sa.Connection, table: str) -> list[str]:
    inspector = sa.inspect(connection)
    # It says so of each index over an expression, whose SQL is among the lines.
    warnings.filterwarnings("ignore", "Skipped unsupported reflection", sa.exc.SAWarning)
    parts: list[Any] = [
        *inspector.get_foreign_keys(table),
        *inspector.get_check_constraints(table),
        *inspector.get_unique_constraints(table),
    ]
    return [_plain(str(sorted(part.items()))) for part in parts]


def _plain(text: str | None) -> str:
    return " ".join((text or "").replace('"', "").split())
