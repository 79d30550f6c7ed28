"""A statement that runs once for each row of another is warned of in development, with the cure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from fastforge.contrib.db.resources import DatabaseConnection
from fastforge.contrib.db.sessions.unit import UnitOfWork
from tests.contrib.db.tables import Account, Entry

from .conftest import job, observed, request

Lines = Callable[[str], list[Any]]


async def fill(connection: DatabaseConnection, accounts: int = 6) -> None:
    async with connection.session() as db, db.atomic():
        db.add_all(
            [Account(name=f"n{number}", entries=[Entry(), Entry()]) for number in range(accounts)]
        )


async def read_entries(unit: UnitOfWork, limit: int = 6) -> None:
    for account in (await unit.session.scalars(select(Account).limit(limit))).all():
        await account.awaitable_attrs.entries


async def test_a_relationship_that_is_loaded_row_by_row_is_named(
    each_database_url: str, lines: Lines
) -> None:
    async with observed(each_database_url, environment="development") as connection:
        await fill(connection)
        with request(connection, "/accounts") as unit:
            await read_entries(unit)
    (record,) = lines("repeated_query")
    assert record.relationship == "Account.entries"
    assert (record.route, record.request_id, record.times) == ("/accounts", "7", 5)
    message = record.getMessage()
    line = read_entries.__code__.co_firstlineno + 2
    assert record.where.endswith(f"queries/test_repeated.py:{line}")
    assert message.startswith(
        f"repeated query: 5 times in GET /accounts, request 7, at {record.where}, which loads"
        " Account.entries for one Account after the other: SELECT entry.id"
    )
    assert message.endswith(
        "; add .options(selectinload(Account.entries)) to the select of Account"
    )


async def test_the_other_direction_is_named_too(sqlite_url: str, lines: Lines) -> None:
    async with observed(sqlite_url, environment="development") as connection:
        await fill(connection)
        with request(connection) as unit:
            for entry in (await unit.session.scalars(select(Entry))).all():
                await entry.awaitable_attrs.account
    assert [record.relationship for record in lines("repeated_query")] == ["Entry.account"]


async def test_any_statement_is_told_of_with_its_cure(sqlite_url: str, lines: Lines) -> None:
    async with observed(sqlite_url, environment="development") as connection:
        with job(connection) as unit:
            for number in range(20):
                await unit.session.get(Account, number)
    (record,) = lines("repeated_query")
    assert (record.relationship, record.task) == (None, "shop.tasks.send")
    assert record.getMessage().endswith("; ask once for all of them: .where(Model.id.in_(ids))")


async def test_it_is_told_once_for_each_route_and_statement(sqlite_url: str, lines: Lines) -> None:
    async with observed(sqlite_url, environment="development") as connection:
        await fill(connection)
        for path in ("/a", "/a", "/b"):
            with request(connection, path) as unit:
                await read_entries(unit)
    assert [record.route for record in lines("repeated_query")] == ["/a", "/b"]


async def test_what_is_repeated_less_often_is_not_told(sqlite_url: str, lines: Lines) -> None:
    async with observed(sqlite_url, environment="development") as connection:
        await fill(connection)
        for _ in range(3):  # each request has a count of its own
            with request(connection) as unit:
                await read_entries(unit, limit=4)
    assert lines("repeated_query") == []


async def test_how_often_is_a_setting(sqlite_url: str, lines: Lines) -> None:
    options = {"environment": "development", "repeated_queries": 2}
    async with observed(sqlite_url, **options) as connection:
        await fill(connection)
        with request(connection) as unit:
            await read_entries(unit, limit=2)
    assert len(lines("repeated_query")) == 1


async def test_sockets_commands_and_writes_are_left_out(sqlite_url: str, lines: Lines) -> None:
    async with observed(sqlite_url, environment="development") as connection:
        await fill(connection)
        with request(connection) as unit:
            unit.scope["type"] = "websocket"
            del unit.scope["method"]
            await read_entries(unit)
        async with connection.session() as db:
            for number in range(20):
                await db.get(Account, number)
        with request(connection, method="POST") as unit:
            async with unit.session.atomic() as db:
                for number in range(20):
                    db.add(Account(name=f"w{number}"))
                    await db.flush()
    assert lines("repeated_query") == []


async def test_production_counts_nothing(sqlite_url: str, lines: Lines) -> None:
    async with observed(sqlite_url) as connection:
        await fill(connection)
        with request(connection) as unit:
            await read_entries(unit)
            assert "fastforge.queries" not in unit.scope
    assert lines("repeated_query") == []
