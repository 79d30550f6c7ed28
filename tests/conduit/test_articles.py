"""The articles of the example: listed, written, changed, liked and deleted, as RealWorld says."""

from __future__ import annotations

from itertools import product
from typing import Any

import httpx
import pytest

from fastforge import Project

from .conftest import BOTH
from .people import ADA, ARTICLE, CHARLES, api, publish, register


async def slugs(http: httpx.AsyncClient, path: str, **options: Any) -> list[str]:
    """Return the slugs of a list, whose count has to be right."""
    answer = (await http.get(path, **options)).json()
    assert answer["articlesCount"] >= len(answer["articles"])
    return [article["slug"] for article in answer["articles"]]


@BOTH
async def test_articles_are_found_by_tag_author_and_who_likes_them(project: Project) -> None:
    async with api(project) as http:
        ada, charles = await register(http, ADA), await register(http, CHARLES)
        first = await publish(http, ada, "First", tagList=["engines"])
        second = await publish(http, charles, "Second", tagList=["engines", "looms"])
        await http.post(f"/articles/{first}/favorite", headers=charles)
        assert await slugs(http, "/articles") == [second, first]
        assert await slugs(http, "/articles?limit=1&offset=1") == [first]
        assert await slugs(http, "/articles?tag=looms") == [second]
        assert await slugs(http, "/articles?author=ada") == [first]
        assert await slugs(http, "/articles?favorited=charles") == [first]
        assert await slugs(http, "/articles?favorited=charles&author=charles") == []
        assert await slugs(http, "/articles?author=nobody") == []
        assert (await http.get("/tags")).json() == {"tags": ["engines", "looms"]}


@BOTH
async def test_an_article_says_what_its_reader_likes_and_follows(project: Project) -> None:
    async with api(project) as http:
        ada, charles = await register(http, ADA), await register(http, CHARLES)
        path = f"/articles/{await publish(http, ada)}"
        await http.post("/profiles/ada/follow", headers=charles)
        for _ in range(2):  # twice is as good as once
            liked = (await http.post(f"{path}/favorite", headers=charles)).json()["article"]
            assert (liked["favorited"], liked["favoritesCount"]) == (True, 1)
            assert liked["author"]["following"]
        seen = {
            "charles": (await http.get(path, headers=charles)).json()["article"],
            "ada": (await http.get(path, headers=ada)).json()["article"],
            "nobody": (await http.get(path)).json()["article"],
        }
        assert {name: each["favorited"] for name, each in seen.items()} == {
            "charles": True,
            "ada": False,
            "nobody": False,
        }
        assert [each["favoritesCount"] for each in seen.values()] == [1, 1, 1]
        assert [each["author"]["following"] for each in seen.values()] == [True, False, False]
        listed = (await http.get("/articles", headers=charles)).json()["articles"][0]
        assert listed == {key: value for key, value in seen["charles"].items() if key != "body"}
        for _ in range(2):
            gone = (await http.delete(f"{path}/favorite", headers=charles)).json()["article"]
            assert (gone["favorited"], gone["favoritesCount"]) == (False, 0)


async def test_the_feed_has_what_those_write_whom_somebody_follows(project: Project) -> None:
    async with api(project) as http:
        ada, charles = await register(http, ADA), await register(http, CHARLES)
        first, second = [await publish(http, ada, title) for title in ("First", "Second")]
        await publish(http, charles)
        assert await slugs(http, "/articles/feed", headers=charles) == []
        await http.post("/profiles/ada/follow", headers=charles)
        assert await slugs(http, "/articles/feed", headers=charles) == [second, first]
        assert await slugs(http, "/articles/feed?limit=1", headers=charles) == [second]
        await http.delete("/profiles/ada/follow", headers=charles)
        assert await slugs(http, "/articles/feed", headers=charles) == []
        assert (await http.get("/articles/feed")).status_code == 401


async def test_what_its_author_leaves_out_of_a_change_stays(project: Project) -> None:
    async with api(project) as http:
        ada = await register(http, ADA)
        slug = await publish(http, ada, "Notes on the Engine", tagList=["engines"])

        async def change(**changes: Any) -> dict[str, Any]:
            path = f"/articles/{slug}"
            answer = await http.put(path, json={"article": changes}, headers=ada)
            article: dict[str, Any] = answer.json()["article"]
            return article

        bodied = await change(body="Better.")
        assert (bodied["body"], bodied["slug"]) == ("Better.", slug)
        assert (bodied["tagList"], bodied["description"]) == (["engines"], "On the engine")
        assert bodied["updatedAt"] > bodied["createdAt"]
        assert (await change(tagList=["looms"]))["tagList"] == ["looms"]
        titled = await change(title="Sketches")
        assert titled["slug"].startswith("sketches-")
        assert (await http.get(f"/articles/{slug}")).status_code == 404
        slug = titled["slug"]
        assert (await change(tagList=[]))["tagList"] == []


async def test_only_its_author_changes_and_deletes_an_article(project: Project) -> None:
    async with api(project) as http:
        ada, charles = await register(http, ADA), await register(http, CHARLES)
        path = f"/articles/{await publish(http, ada)}"
        body = {"article": {"body": "Mine."}}
        asked = {
            401: [await http.put(path, json=body), await http.delete(path)],
            403: [
                await http.put(path, json=body, headers=charles),
                await http.delete(path, headers=charles),
            ],
            404: [
                await http.put("/articles/none", json=body, headers=ada),
                await http.delete("/articles/none", headers=ada),
                await http.post("/articles/none/favorite", headers=ada),
                await http.delete("/articles/none/favorite", headers=ada),
                await http.get("/articles/none"),
            ],
        }
        for status, answers in asked.items():
            assert [answer.status_code for answer in answers] == [status] * len(answers)
        await http.post(f"{path}/favorite", headers=charles)
        await http.post(f"{path}/comments", json={"comment": {"body": "Good."}}, headers=charles)
        assert (await http.delete(path, headers=ada)).status_code == 204
        assert (await http.get(path)).status_code == 404
        assert await slugs(http, "/articles?favorited=charles") == []


async def test_two_articles_of_one_title_have_addresses_of_their_own(project: Project) -> None:
    async with api(project) as http:
        ada = await register(http, ADA)
        made = {await publish(http, ada, "Ünïcode & more!") for _ in range(3)}
        assert len(made) == 3
        assert (await http.get(f"/articles/{await publish(http, ada, '漢字')}")).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"title": "   "},
        {"title": "x" * 181},
        {"title": None},
        {"body": ""},
        {"description": ""},
        {"body": "nul \x00"},
        {"tagList": None},
        {"tagList": ["x" * 65]},
        {"tagList": ["tag"] * 21},
    ],
    ids=lambda wrong: f"{next(iter(wrong))}-{str(next(iter(wrong.values())))[:5]!r}",
)
async def test_what_is_no_article_is_refused(project: Project, wrong: dict[str, Any]) -> None:
    async with api(project) as http:
        ada = await register(http, ADA)
        answer = await http.post("/articles", json={"article": {**ARTICLE, **wrong}}, headers=ada)
        path = f"/articles/{await publish(http, ada)}"
        changed = await http.put(path, json={"article": wrong}, headers=ada)
        nothing = await http.put(path, json={"article": {}}, headers=ada)
    assert [answer.status_code, changed.status_code, nothing.status_code] == [422] * 3
    assert answer.json()["errors"]["body"][0].startswith(f"article.{next(iter(wrong))}")


async def test_a_list_costs_three_queries_whatever_its_size(
    project: Project, statements: list[str]
) -> None:
    """The page, its tags and the total; who asks costs none once they are known."""
    async with api(project) as http:
        ada, charles = await register(http, ADA), await register(http, CHARLES)
        await http.post("/profiles/ada/follow", headers=charles)
        paths = [await publish(http, ada, tagList=["a", "b"]) for _ in range(21)]
        for path in paths:
            await http.post(f"/articles/{path}/favorite", headers=charles)
        await http.get("/user", headers=charles)
        lists = ("", "/feed", "?tag=a&author=ada", "?favorited=charles")
        for path, limit in product(lists, (1, 5, 20)):
            statements.clear()
            url = httpx.URL(f"/articles{path}").copy_add_param("limit", limit)
            page = (await http.get(url, headers=charles)).json()
            assert (len(page["articles"]), page["articlesCount"]) == (limit, 21)
            assert len(statements) <= 3, statements
        comments = f"/articles/{paths[0]}/comments"
        for _ in range(5):
            await http.post(comments, json={"comment": {"body": "Good."}}, headers=charles)
        statements.clear()
        assert len((await http.get(comments)).json()["comments"]) == 5
        assert len(statements) == 2
