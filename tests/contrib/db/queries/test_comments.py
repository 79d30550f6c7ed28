"""Each statement says of which project and route it is, whatever a route is called."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import select, text

from fastforge.contrib.db import Database
from fastforge.contrib.db.pool.arguments import connect_arguments
from fastforge.contrib.db.queries.comments import comments_of
from fastforge.contrib.db.resources import DatabaseConnection
from fastforge.contrib.db.sessions.unit import UnitOfWork
from tests.contrib.db.tables import Account

from .conftest import entered_unit, job, observed, request

SEEN = text("SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid() AND :one = 1")
HOSTILE = "/100%/%(name)s/a*/; DROP TABLE account; --/':x?$1/{id}"


async def seen(connection: DatabaseConnection, unit: Any) -> str:
    return str(await unit.session.scalar(SEEN, {"one": 1}))


async def test_the_server_sees_whose_a_statement_is(each_postgres_url: str) -> None:
    async with observed(each_postgres_url, sql_comment=True) as connection:
        with request(connection, "/api/orders/{order_id}") as unit:
            assert (await seen(connection, unit)).startswith(
                "/*app='shop',route='/api/orders/{order_id}'*/ SELECT query"
            )
        with job(connection, "shop.tasks.send") as unit:
            assert (await seen(connection, unit)).startswith(
                "/*app='shop',task='shop.tasks.send'*/ SELECT query"
            )
        async with connection.session() as db:
            assert str(await db.scalar(SEEN, {"one": 1})).startswith("/*app='shop'*/ SELECT")


async def test_a_hostile_name_is_only_a_name(each_database_url: str) -> None:
    async with observed(each_database_url, sql_comment=True) as connection:
        with request(connection, HOSTILE) as unit:
            async with unit.session.atomic() as db:
                db.add_all([Account(name="a", balance=1), Account(name="b", balance=2)])
            found = await db.scalars(select(Account.name).where(Account.balance > 1))
            assert list(found) == ["b"]
            assert await db.scalar(text("SELECT count(*) FROM account")) == 2


async def test_a_route_that_is_not_found_yet_is_left_out(each_postgres_url: str) -> None:
    async with observed(each_postgres_url, sql_comment=True) as connection:
        with request(connection) as unit:
            route = unit.scope.pop("route")
            assert (await seen(connection, unit)).startswith("/*app='shop'*/ ")
            unit.scope["route"] = route
            assert (await seen(connection, unit)).startswith("/*app='shop',route='/api/orders'*/ ")


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_a_route_prepares_a_statement_once_however_many_requests_it_has(
    postgres_dsn: str, driver: str
) -> None:
    url = postgres_dsn.replace("postgresql://", f"postgresql+{driver}://")
    prepared = text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE :pattern")
    async with observed(url, sql_comment=True, pool_size=1) as connection:
        for number in range(12):
            for path in ("/a", "/b"):
                with request(connection, path, id_=str(number)) as unit:
                    await unit.session.scalar(select(Account.id).where(Account.id == number))
        async with connection.session() as db:
            assert await db.scalar(prepared, {"pattern": "%FROM account%WHERE%"}) == 2


async def test_many_routes_keep_what_they_have_prepared(each_postgres_url: str) -> None:
    """A driver keeps 100 by itself; with one more in turn, each would be prepared every time."""
    prepared = text("SELECT name FROM pg_prepared_statements")
    times = 7  # psycopg prepares what has run 5 times
    async with observed(each_postgres_url, sql_comment=True) as connection:
        seen = []
        for _ in range(times):
            for number in range(200):
                with request(connection, f"/route/{number}") as unit:
                    await unit.session.scalar(select(Account.id))
            async with connection.session() as db:
                seen.append(set(await db.scalars(prepared)))
    assert len(seen[-1]) >= 200
    assert seen[-2] <= seen[-1]


@pytest.mark.parametrize(
    ("options", "query", "kept"),
    [
        ({}, "", 500),
        ({"sql_comment": False}, "", None),
        ({}, "?prepared_statement_cache_size=7", None),
        ({"pooler": "transaction"}, "", 0),
    ],
)
def test_how_many_statements_asyncpg_keeps(
    options: dict[str, Any], query: str, kept: int | None
) -> None:
    database = Database(url=f"postgresql+asyncpg://localhost/shop{query}", **options)
    assert connect_arguments(database).get("prepared_statement_cache_size") == kept


async def test_it_can_be_switched_off(each_postgres_url: str) -> None:
    async with observed(each_postgres_url, sql_comment=False) as connection:
        with request(connection) as unit:
            assert (await seen(connection, unit)).startswith("SELECT query")


@given(st.text(max_size=60))
@example(HOSTILE)
@example("/*")
@example("*/")
@example("\n\r\0'\\")
def test_nothing_of_a_name_ends_the_comment_or_begins_another(name: str) -> None:
    scope = {"type": "http", "path": name, "route": SimpleNamespace(path=name, path_format=name)}
    with entered_unit(UnitOfWork(lambda *_: None, scope)):  # type: ignore[arg-type, return-value]
        comment = comments_of("shop")()
        doubled = comments_of("shop", percent="%%")()
    if not name:
        assert comment == "/*app='shop'*/ "
        return
    found = re.fullmatch(r"/\*app='shop',route='([^'*\\\s]*)'\*/ ", comment)
    assert found is not None and unquote(found[1]) == name
    assert doubled == comment.replace("%", "%%")


@pytest.mark.parametrize(
    ("parameters", "route"),
    [({"tenant": "acme", "id": "7"}, "/orders/{id}"), ({}, "/tenants/acme/orders/{id}")],
    ids=["below a parameter", "below a fixed prefix"],
)
def test_there_are_not_more_of_them_than_routes(parameters: dict[str, str], route: str) -> None:
    scope = {
        "type": "http",
        "path": "/tenants/acme/orders/7",
        "root_path": "/tenants/acme",
        "app_root_path": "",
        "path_params": parameters,
        "route": SimpleNamespace(path="/orders/{id}", path_format="/orders/{id}"),
    }
    with entered_unit(UnitOfWork(lambda *_: None, scope)):  # type: ignore[arg-type, return-value]
        assert comments_of("shop")() == f"/*app='shop',route='{route}'*/ "
