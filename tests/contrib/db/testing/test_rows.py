"""Rows: after a test that committed they are as the migrations left them, in the same database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from fastforge.contrib.db import Database
from fastforge.contrib.db.resources import open_database
from fastforge.contrib.db.testing.rows import Rows

SCHEMA = """
    CREATE TYPE mood AS ENUM ('fine', 'it''s "odd"');
    CREATE TABLE parent (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        above bigint REFERENCES parent,
        name text NOT NULL,
        mood mood,
        document jsonb,
        bytes bytea,
        list text[],
        amount numeric(10, 3),
        at timestamptz,
        length int GENERATED ALWAYS AS (length(name)) STORED
    );
    CREATE TABLE "Order Line" (id serial PRIMARY KEY, parent bigint NOT NULL REFERENCES parent);
    CREATE TABLE parts (id int, day date) PARTITION BY RANGE (day);
    CREATE TABLE parts_now PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    INSERT INTO parent (name, mood, document, bytes, list, amount, at) VALUES
        (E'a\\\\b "c", (d)''', 'it''s "odd"', 'null', '\\x00ff', ARRAY['x,y', NULL, ''], 1.5,
            now()),
        ('', NULL, NULL, NULL, NULL, NULL, NULL);
    UPDATE parent SET above = 2 WHERE id = 1;
    INSERT INTO "Order Line" (parent) VALUES (1);
    """
CHANGES = """
    INSERT INTO parent (name) VALUES ('mine');
    INSERT INTO parts VALUES (1, '2026-05-05');
    INSERT INTO "Order Line" (parent) VALUES (3);
    DELETE FROM "Order Line" WHERE id = 1;
    UPDATE parent SET name = 'changed', above = 1 WHERE id = 2;
    """
SEEN = (
    "SELECT p::text FROM parent AS p ORDER BY id",
    'SELECT l::text FROM "Order Line" AS l ORDER BY id',
    "SELECT p::text FROM parts AS p",
    "SELECT last_value::text || is_called FROM parent_id_seq",
    """SELECT last_value::text || is_called FROM "Order Line_id_seq" """,
)


@pytest.fixture
async def connection(each_postgres_url: str) -> AsyncIterator[AsyncConnection]:
    config = Database(url=each_postgres_url, pool_size=1)
    opened = await open_database(config, root=Path.cwd(), environment="test")
    async with opened.engine.connect() as connection:
        each_alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await run(each_alone, SCHEMA)
        yield each_alone
    await opened.engine.dispose()


async def run(connection: AsyncConnection, script: str) -> None:
    for statement in script.split(";\n"):
        if statement.strip():
            await connection.exec_driver_sql(statement)


async def seen(connection: AsyncConnection) -> list[Any]:
    return [list((await connection.scalars(sa.text(each))).all()) for each in SEEN]


async def test_they_are_as_they_were_whatever_their_types(connection: AsyncConnection) -> None:
    before = await seen(connection)
    rows = await Rows.of(connection)
    for _ in range(2):
        await run(connection, CHANGES)
        assert await seen(connection) != before
        assert await rows.restore(connection)
        assert await seen(connection) == before


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE parent ADD COLUMN more int",
        "ALTER TABLE parent ALTER COLUMN name DROP NOT NULL",
        "ALTER TYPE mood ADD VALUE 'new'",
        "CREATE INDEX names ON parent (name)",
        'DROP TABLE "Order Line"',
    ],
)
async def test_another_schema_is_not_mended(connection: AsyncConnection, change: str) -> None:
    rows = await Rows.of(connection)
    await run(connection, change)
    assert not await rows.restore(connection)


CIRCLE = """
    ALTER TABLE parent ADD COLUMN line int REFERENCES "Order Line";
    """
TRIGGER = """
    CREATE FUNCTION kept() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER kept BEFORE DELETE ON parts FOR EACH ROW EXECUTE FUNCTION kept();
    """


@pytest.mark.parametrize("schema", [CIRCLE, TRIGGER], ids=["circle", "trigger"])
async def test_what_delete_cannot_empty_is_not_tried(
    connection: AsyncConnection, schema: str
) -> None:
    await run(connection, schema)
    rows = await Rows.of(connection)
    assert not await rows.restore(connection)
