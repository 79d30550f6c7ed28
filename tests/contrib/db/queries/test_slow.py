"""A statement that takes too long is one line, which tells whose it was and nothing secret."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import DBAPIError

from fastforge.contrib.db.queries.observing import observe_queries
from fastforge.contrib.db.queries.shown import is_control, shown
from fastforge.contrib.db.settings import Database
from tests.contrib.db.tables import Account, Entry

from .conftest import LOGGER, job, observed, request

Lines = Callable[[str], list[Any]]

# Every database takes more than a millisecond for this; PostgreSQL counts its rows as well.
SLOW = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)"
    " SELECT count(*), :secret || 'spoken' FROM n"
)


async def test_the_line_of_a_slow_statement(
    each_database_url: str, lines: Lines, caplog: pytest.LogCaptureFixture
) -> None:
    async with observed(each_database_url, slow_query_ms=1) as connection:
        with request(connection, "/api/orders/{order_id}") as unit:
            await unit.session.execute(SLOW, {"secret": "xyzzy"})
    (record,) = [each for each in lines("slow_query") if "RECURSIVE" in each.sql]
    assert record.name == LOGGER
    assert record.levelno == logging.WARNING
    assert record.duration_ms >= 1
    assert record.rows == (None if "sqlite" in each_database_url else 1)
    assert record.in_atomic is False
    assert (record.route, record.request_id) == ("/api/orders/{order_id}", "7")
    assert (record.task, record.job, record.failure) == (None, None, None)
    message = record.getMessage()
    assert message.startswith(f"slow query: {record.duration_ms:g} ms, ")
    assert "not in atomic, GET /api/orders/{order_id}, request 7: WITH RECURSIVE n(i)" in message
    assert "xyzzy" not in message
    assert "spoken" not in message
    assert "\n" not in message


async def test_a_job_is_named_and_whether_it_is_in_atomic(
    each_database_url: str, lines: Lines
) -> None:
    async with observed(each_database_url, slow_query_ms=1) as connection:
        with job(connection) as unit:
            async with unit.session.atomic() as db:
                await db.execute(SLOW, {"secret": ""})
    (record,) = [each for each in lines("slow_query") if "RECURSIVE" in each.sql]
    assert record.in_atomic is True
    assert (record.task, record.job) == ("shop.tasks.send", "j1")
    assert ", in atomic, job j1 of shop.tasks.send: WITH" in record.getMessage()


async def test_a_statement_that_is_quick_enough_has_no_line(
    each_database_url: str, lines: Lines
) -> None:
    options = {"slow_query_ms": 60_000}
    async with observed(each_database_url, **options) as connection, connection.session() as db:
        await db.execute(SLOW, {"secret": ""})
    assert lines("slow_query") == []


async def test_a_slow_statement_that_fails_has_its_line_too(
    each_postgres_url: str, lines: Lines
) -> None:
    options = {"slow_query_ms": 50, "statement_timeout_s": 0.1}
    async with observed(each_postgres_url, **options) as connection, connection.session() as db:
        with pytest.raises(DBAPIError):
            await db.execute(text("SELECT pg_sleep(30)"))
    # To make the tables may be slow as well.
    (record,) = [each for each in lines("slow_query") if "pg_sleep" in each.getMessage()]
    assert record.failure
    assert f"failed with {record.failure}, not in atomic, no request or job: SELECT pg_sleep" in (
        record.getMessage()
    )
    assert record.rows is None


SLOW_COMMIT = (
    "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql"
    " AS 'BEGIN PERFORM pg_sleep(0.1); RETURN NULL; END'",
    "CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON account DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW EXECUTE FUNCTION dawdle()",
)


async def test_a_slow_commit_has_its_line(each_postgres_url: str, lines: Lines) -> None:
    async with observed(each_postgres_url, slow_query_ms=90) as connection:
        async with connection.engine.begin() as raw:
            for statement in SLOW_COMMIT:
                await raw.execute(text(statement))
        with request(connection, "/api/orders", method="POST") as unit:
            async with unit.session.atomic() as db:
                db.add(Account(name="a"))
            with pytest.raises(DBAPIError):
                async with unit.session.atomic() as db:
                    db.add_all([Account(name="b"), Entry(account_id=99)])
    commits = [each for each in lines("slow_query") if each.sql == "COMMIT"]
    kept, failed = [each for each in commits if each.route]  # to make the tables may be slow too
    assert kept.duration_ms >= 100
    assert (kept.route, kept.request_id, kept.rows) == ("/api/orders", "7", None)
    assert (kept.in_atomic, kept.failure) == (True, None)
    assert kept.getMessage().endswith(" ms, in atomic, POST /api/orders, request 7: COMMIT")
    assert failed.failure


async def test_a_row_that_is_locked_makes_the_statement_slow_that_waits(
    sqlite_url: str, lines: Lines
) -> None:
    options = {"slow_query_ms": 50, "lock_timeout_s": 0.2, "pool_size": 2}
    async with observed(sqlite_url, **options) as connection, connection.engine.begin():
        with pytest.raises(DBAPIError):
            async with connection.engine.begin():
                pass
    # To make the tables may be slow as well.
    assert [each.sql for each in lines("slow_query") if each.failure] == ["BEGIN IMMEDIATE"]


def test_nothing_is_hooked_where_nothing_is_asked_for(sqlite_url: str) -> None:
    hooks = {"do_execute", "do_executemany", "do_execute_no_params"}

    def hooked(**options: Any) -> set[str]:
        engine = create_engine("sqlite://")
        config = Database(url=sqlite_url, sql_comment=False, **options)
        observe_queries(engine, config, project="shop", environment="production")
        return hooks & vars(engine.dialect).keys()

    assert hooked(slow_query_ms=0) == set()
    assert hooked(slow_query_ms=200) == hooks


async def test_all_ways_to_the_driver_are_timed(each_database_url: str, lines: Lines) -> None:
    async with observed(each_database_url, slow_query_ms=60_000) as connection:
        dialect = connection.engine.dialect
        async with connection.engine.begin() as raw:
            rows = [{"name": f"n{number}", "balance": 0} for number in range(3)]
            insert = text("INSERT INTO account (name, balance) VALUES (:name, :balance)")
            await raw.execute(insert, rows)
            plain = await raw.execution_options(no_parameters=True)
            assert (await plain.exec_driver_sql("SELECT count(*) FROM account")).scalar() == 3
        async with connection.session() as db, db.atomic():
            db.add_all([Account(name=f"m{number}") for number in range(3)])
        async with connection.session() as db:
            assert len((await db.scalars(select(Account))).all()) == 6
        assert dialect is connection.engines.read.dialect


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("SELECT  1\n FROM\tx", "SELECT 1 FROM x"),
        ("SELECT 'it''s', \"Name\" FROM x", "SELECT '...', \"Name\" FROM x"),
        ("SELECT $tag$a 'b' $tag$, $1", "SELECT '...', $1"),
        (r"SELECT E'it\'s secret', x", "SELECT '...', x"),
        (f"SELECT {'x' * 400}", f"SELECT {'x' * 290}..."),
    ],
)
def test_how_a_statement_is_shown(sql: str, text: str) -> None:
    assert shown(sql) == text


@pytest.mark.parametrize(
    ("sql", "control"),
    [
        ("BEGIN IMMEDIATE", True),
        ("SAVEPOINT sa_savepoint_1", True),
        ("ROLLBACK TO SAVEPOINT sa_savepoint_1", True),
        ("release savepoint x", True),
        ("COMMIT", True),
        ("SELECT begin FROM commits", False),
        ("UPDATE x SET y = 1", False),
    ],
)
def test_what_only_begins_and_ends(sql: str, control: bool) -> None:
    assert is_control(sql) is control
