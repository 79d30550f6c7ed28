"""How PostgreSQL reads the lists of a site with 10,000 articles: by indexes, and not all of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from fastforge import Project

from .people import api, log_in, manage

ARTICLES = "articles_article"
LIMIT = 20
LISTS = {
    "/articles": LIMIT + 1,  # the one more tells whether there is another page
    "/articles?author=user2": LIMIT + 1,
    "/articles?tag=python": 500,
    "/articles?favorited=user3": 500,
    "/articles/feed": 2000,
}
"""How many articles may be read for a page: a quarter has each tag, and a hundredth each author."""


@asynccontextmanager
async def engine_for(url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    try:
        yield engine
    finally:
        await engine.dispose()


@pytest.fixture
def asked() -> Iterator[list[tuple[str, Any]]]:
    """The statements that ask for a page of articles, with their values."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if f"FROM {ARTICLES}" in statement and "LIMIT" in statement and "EXPLAIN" not in statement:
            asked.append((statement, values))

    event.listen(Engine, "before_cursor_execute", note)
    yield asked
    event.remove(Engine, "before_cursor_execute", note)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def articles_read(plan: dict[str, Any]) -> int:
    """How many rows of articles were looked at, those that did not fit too."""
    return sum(
        round((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
        for node in nodes(plan)
        if node.get("Relation Name") == ARTICLES
    )


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_a_page_of_each_list_is_read_by_an_index_and_never_from_all_articles(
    project: Project, database_url: str, asked: list[tuple[str, Any]]
) -> None:
    password = manage(project, "seed", "--articles", "10000", "--users", "100").split("'")[1]
    async with engine_for(database_url) as engine, engine.connect() as connection:
        await connection.execute(text("ANALYZE"))  # by itself it does so a minute later
        async with api(project) as http:
            user = (await log_in(http, "user1@conduit.test", password)).json()["user"]
            headers = {"Authorization": f"Token {user['token']}"}
            for path, most in LISTS.items():
                asked.clear()
                page = (await http.get(path, headers=headers)).json()
                assert len(page["articles"]) == LIMIT
                ((statement, values),) = asked
                explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
                found = await connection.exec_driver_sql(explain, values)
                plan = found.scalar_one()[0]["Plan"]
                reads = [node for node in nodes(plan) if node.get("Relation Name") == ARTICLES]
                assert {node["Node Type"] for node in reads} == {"Index Scan"}, (path, plan)
                assert articles_read(plan) <= most + 1, (path, plan)  # and one to group moments by
