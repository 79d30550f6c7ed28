"""What counts as reading is told from the text of a statement."""

from __future__ import annotations

import pytest

from fastforge.contrib.db.sessions.statements import first_words, is_read


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "  select 1",
        "(SELECT 1) UNION (SELECT 2)",
        "-- why\n/* and\nhow */ SELECT 1",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "VALUES (1)",
        "EXPLAIN SELECT 1",
        "SHOW lock_timeout",
        "PRAGMA journal_mode",
        "pragma user_version ;",
        'PRAGMA main.table_info("x")',
        "PRAGMA foreign_key_check",
        "SELECT x.into, 'into t' FROM x WHERE y = %(into)s OR y = :into",
        "SELECT updated_at, deleted_from FROM inserts_into",
        "SELECT 'insert into x; delete from y; for update'",
        'SELECT "for update" FROM "delete from"',
        "SELECT 1 -- delete from x",
    ],
)
def test_reads(sql: str) -> None:
    assert is_read(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO x VALUES (1)",
        "update x set y = 1",
        "WITH x AS (INSERT INTO y VALUES (1) RETURNING id) SELECT * FROM x",
        "WITH x AS (UPDATE y AS z SET a = 1 RETURNING a) SELECT * FROM x",
        'WITH x AS (UPDATE ONLY "order" SET a = 1 RETURNING a) SELECT * FROM x',
        "WITH x AS (DELETE FROM y RETURNING a) SELECT * FROM x",
        "SELECT * FROM x FOR UPDATE SKIP LOCKED",
        "SELECT * FROM x FOR NO KEY UPDATE",
        "SELECT * FROM x FOR KEY SHARE",
        "EXPLAIN ANALYZE INSERT INTO x VALUES (1)",
        "SELECT * INTO t FROM x",
        'SELECT a, b INTO TEMPORARY "t" FROM x',
        "WITH y AS (SELECT 1) SELECT * INTO t FROM y",
        "WITH x AS (MERGE INTO y USING z ON true WHEN MATCHED THEN DELETE) SELECT 1",
        "PRAGMA user_version=5",
        "PRAGMA main.user_version = 5",
        "PRAGMA user_version(5)",
        "PRAGMA table_info = x",
        "PRAGMA wal_checkpoint",
        "PRAGMA optimize",
        "PRAGMA user_version; DELETE FROM x",
        "/* SELECT */ DROP TABLE x",
        "SET lock_timeout = 1",
        "BEGIN",
        "COMMIT",
        "LOCK TABLE x",
        "TRUNCATE x",
        "CALL procedure()",
        "REPLACE INTO x VALUES (1)",
        "selection",
        "",
    ],
)
def test_everything_else_is_no_read(sql: str) -> None:
    assert not is_read(sql)


def test_a_long_statement_is_shown_by_its_beginning_on_one_line() -> None:
    assert first_words("SELECT\n  1") == "SELECT 1"
    assert first_words("SELECT " + "x" * 100) == "SELECT " + "x" * 50 + "..."
