"""Lists in pages over HTTP: what a client asks, is answered, and reads in the OpenAPI document."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from fastforge.asgi import get_asgi_application
from fastforge.contrib.db.resources import DatabaseConnection
from tests.folder import isolated

from .tables import Item, Mark, opened

pytestmark = pytest.mark.usefixtures("anyio_backend")  # for the fixtures, which are async

SHOP = {
    "shop/settings.py": """
        from fastforge.conf import env
        from fastforge.contrib.db import Database

        INSTALLED_APPS = ["fastforge.contrib.db", "shop.items"]
        DATABASES = {"default": Database(url=env("DATABASE_URL"))}
        """,
    "shop/items/routes.py": """
        from typing import Annotated

        from fastapi import APIRouter
        from pydantic import BaseModel, ConfigDict
        from sqlalchemy import select
        from sqlalchemy.orm import joinedload

        from fastforge.contrib.db import DbSession
        from fastforge.contrib.db.pagination import (
            CursorPage, Keyset, KeysetPage, Offset, OffsetPage, Page, keyset_page, offset_page,
            paginate,
        )
        from tests.contrib.db.pagination.tables import Item, Mark

        router = APIRouter()

        class MarkOut(BaseModel):
            model_config = ConfigDict(from_attributes=True)
            text: str

        class ItemOut(BaseModel):
            id: int
            title: str

        class MarkedOut(ItemOut):
            marks: list[MarkOut]

        @router.get("/items")
        async def list_items(db: DbSession, page: OffsetPage) -> Page[ItemOut]:
            return await paginate(db, select(Item).order_by(Item.title.desc()), page)

        @router.get("/counted")
        async def count_items(db: DbSession, page: OffsetPage) -> Page[MarkedOut]:
            marked = select(Item).options(joinedload(Item.marks))
            return await paginate(db, marked, page, total=True)

        @router.get("/feed")
        async def feed(db: DbSession, page: KeysetPage) -> CursorPage[ItemOut]:
            return await paginate(db, select(Item).order_by(Item.title.desc()), page)

        @router.get("/rows")
        async def rows(db: DbSession, page: KeysetPage) -> CursorPage[ItemOut]:
            return await paginate(db, select(Item.id, Item.title).join(Item.marks), page)

        @router.get("/ids")
        async def ids(
            db: DbSession,
            page: Annotated[Keyset, keyset_page(default=3, maximum=5)],
        ) -> CursorPage[int]:
            return await paginate(db, select(Item.id), page)

        @router.get("/pairs")
        async def pairs(
            db: DbSession,
            page: Annotated[Offset, offset_page(default=1, maximum=2, deepest=10)],
        ) -> Page[dict[str, int | None]]:
            found = await paginate(db, select(Item.id), page)
            return found.model_copy(update={"items": [{"id": each} for each in found.items]})

        @router.get("/items/{item_id}")
        async def show(item_id: int, db: DbSession) -> ItemOut:
            return await db.get_or_404(Item, item_id)
        """,
}


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def url(request: pytest.FixtureRequest) -> str:
    """A fresh database of each kind; the drivers are compared where pages are made."""
    found: str = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def db(url: str) -> AsyncIterator[DatabaseConnection]:
    """The database of the project."""
    async with opened(url, pool_size=2) as connection:
        yield connection


@pytest.fixture
def client(tmp_path: Path, url: str, db: DatabaseConnection) -> Iterator[TestClient]:
    with isolated(tmp_path) as folder:
        folder.write(SHOP)
        environ = {"FASTFORGE_ENV": "test", "DATABASE_URL": url}
        app = get_asgi_application(folder.load(environ))
        with TestClient(app, raise_server_exceptions=False) as client:
            yield client


@pytest.fixture
async def five(db: DatabaseConnection) -> None:
    """Five items with two marks each."""
    async with db.session().atomic() as session:
        for number in range(1, 6):
            marks = [Mark(text="a"), Mark(text="b")]
            session.add(Item(id=number, title=f"t{number}", marks=marks))


@pytest.mark.usefixtures("five")
def test_offset_pages_are_answered_as_their_model_says(client: TestClient) -> None:
    assert client.get("/items", params={"limit": 2, "offset": 1}).json() == {
        "items": [{"id": 4, "title": "t4"}, {"id": 3, "title": "t3"}],
        "limit": 2,
        "offset": 1,
        "has_next": True,
        "total": None,
    }
    counted = client.get("/counted", params={"limit": 2}).json()
    assert counted["total"] == 5
    assert counted["items"][1] == {"id": 2, "title": "t2", "marks": [{"text": "a"}, {"text": "b"}]}
    assert client.get("/pairs").json()["items"] == [{"id": 1}]


@pytest.mark.usefixtures("five")
def test_a_client_walks_by_cursors_and_back(client: TestClient) -> None:
    first = client.get("/feed", params={"limit": 2}).json()
    assert [item["id"] for item in first["items"]] == [5, 4]
    assert first["previous"] is None
    second = client.get(f"/feed?limit=2&after={first['next']}").json()
    assert [item["id"] for item in second["items"]] == [3, 2]
    last = client.get(f"/feed?limit=2&after={second['next']}").json()
    assert [item["id"] for item in last["items"]] == [1]
    assert last["next"] is None
    back = client.get(f"/feed?limit=2&before={last['previous']}").json()
    assert back["items"] == second["items"]
    begin = client.get(f"/feed?limit=2&before={back['previous']}").json()
    assert begin == first
    assert client.get("/ids").json()["items"] == [1, 2, 3]
    rows = client.get("/rows", params={"limit": 3}).json()
    assert [row["id"] for row in rows["items"]] == [1, 1, 2]


@pytest.mark.usefixtures("five")
def test_what_is_no_cursor_of_a_list_is_one_problem(client: TestClient) -> None:
    of_ids = client.get("/ids").json()["next"]
    of_feed = client.get("/feed", params={"limit": 1}).json()["next"]
    for cursor in (of_ids, of_feed[:-1], of_feed[::-1], "", "%00", "MARKER", "=" * 4096, "\ud83d"):
        for name in ("after", "before"):
            answer = client.get(f"/feed?{name}={quote(cursor, errors='surrogatepass')}")
            assert answer.status_code == 422
            problem = answer.json()
            assert problem.pop("request_id")
            assert problem == {
                "type": "about:blank",
                "title": "Unprocessable Content",
                "status": 422,
                "detail": "the cursor is not one of this list",
                "code": "db.E060",
            }
    both = client.get("/feed", params={"after": of_feed, "before": of_feed})
    assert (both.status_code, both.json()["code"]) == (422, "db.E068")


BEYOND = [
    ("/items?limit=0", "limit"),
    ("/items?limit=101", "limit"),
    ("/items?limit=many", "limit"),
    ("/items?offset=-1", "offset"),
    ("/items?offset=100001", "offset"),
    ("/items?offset=99999999999999999999", "offset"),
    ("/feed?limit=101", "limit"),
    (f"/feed?after={'x' * 4097}", "after"),
    ("/ids?limit=6", "limit"),
    ("/pairs?limit=3", "limit"),
    ("/pairs?offset=11", "offset"),
]


def test_a_page_beyond_the_limits_is_refused(client: TestClient) -> None:
    for path, name in BEYOND:
        answer = client.get(path)
        assert answer.status_code == 422
        assert [error["location"] for error in answer.json()["errors"]] == [["query", name]]


@pytest.mark.usefixtures("five")
def test_what_is_not_there_is_a_problem_without_its_key(client: TestClient) -> None:
    assert client.get("/items/5").json() == {"id": 5, "title": "t5"}
    for key in (777777, 2**31, 2**63, 10**40):
        answer = client.get(f"/items/{key}")
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (404, "db.E061")
        assert problem["detail"] == "there is no such Item"
        assert str(key) not in answer.text


def test_the_document_says_it_all_by_names_that_can_be_read(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    assert sorted(name for name in schemas if "Page" in name) == [
        "CursorPageOfInt",
        "CursorPageOfItemOut",
        "PageOfDictOfStrIntNone",
        "PageOfItemOut",
        "PageOfMarkedOut",
    ]
    assert schemas["PageOfItemOut"]["title"] == "PageOfItemOut"
    assert schemas["PageOfItemOut"]["properties"]["items"]["items"] == {
        "$ref": "#/components/schemas/ItemOut"
    }
    parameters = {
        each["name"]: each["schema"] for each in document["paths"]["/items"]["get"]["parameters"]
    }
    assert parameters["limit"]["maximum"] == 100
    assert parameters["limit"]["default"] == 20
    assert parameters["offset"] == {
        "type": "integer",
        "maximum": 100_000,
        "minimum": 0,
        "description": "How many items to skip.",
        "default": 0,
        "title": "Offset",
    }
    feed: dict[str, Any] = document["paths"]["/feed"]["get"]
    assert [each["name"] for each in feed["parameters"]] == ["limit", "after", "before"]
    assert not any(each["required"] for each in feed["parameters"])
