"""What people do at the same moment: answered as if they had done it one after the other."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable

import httpx

from fastforge import Project

from .conftest import BOTH
from .people import ADA, ARTICLE, CHARLES, api, publish, register

AT_ONCE = 8


async def statuses(asked: Iterable[Awaitable[httpx.Response]]) -> Counter[int]:
    """Ask all at the same moment, and count the answers."""
    answers = await asyncio.gather(*asked)
    return Counter(answer.status_code for answer in answers)


@BOTH
async def test_of_those_who_want_one_name_one_gets_it(project: Project) -> None:
    async with api(project) as http:
        people = [{**ADA, "email": f"ada{number}@conduit.test"} for number in range(3)]
        people += [{**CHARLES, "username": f"charles{number}"} for number in range(3)]
        found = await statuses(http.post("/users", json={"user": each}) for each in people)
        assert found == {201: 2, 409: 4}
        heirs = [await register(http, {**ADA, "username": n, "email": f"{n}@x.test"}) for n in "ab"]
        body = {"user": {"username": "lovelace"}}
        found = await statuses(http.put("/user", json=body, headers=each) for each in heirs)
        assert found == {200: 1, 409: 1}


@BOTH
async def test_what_is_done_twice_at_once_is_done_once(project: Project) -> None:
    async with api(project) as http:
        ada, charles = await register(http, ADA), await register(http, CHARLES)
        path = f"/articles/{await publish(http, ada)}"
        for place in (f"{path}/favorite", "/profiles/ada/follow"):
            for send in (http.post, http.delete):
                found = await statuses(send(place, headers=charles) for _ in range(AT_ONCE))
                assert found == {200: AT_ONCE}
            await statuses(http.post(place, headers=charles) for _ in range(AT_ONCE))
        article = (await http.get(path, headers=charles)).json()["article"]
        assert (article["favoritesCount"], article["author"]["following"]) == (1, True)
        assert await statuses(http.delete(path, headers=ada) for _ in range(2)) == {204: 1, 404: 1}


@BOTH
async def test_articles_that_bring_the_same_new_tags_at_once_are_all_published(
    project: Project,
) -> None:
    tags = [f"tag{number}" for number in range(6)]
    async with api(project) as http:
        ada = await register(http, ADA)
        bodies = [{**ARTICLE, "tagList": tags[shift:] + tags[:shift]} for shift in range(len(tags))]
        found = await statuses(
            http.post("/articles", json={"article": body}, headers=ada) for body in bodies
        )
        assert found == {201: len(tags)}
        assert (await http.get("/tags")).json() == {"tags": tags}
        slug = (await http.get("/articles")).json()["articles"][0]["slug"]
        changes = [{"article": {"tagList": [tag, "other"]}} for tag in tags]
        found = await statuses(
            http.put(f"/articles/{slug}", json=body, headers=ada) for body in changes
        )
        assert found == {200: len(tags)}
        left = (await http.get(f"/articles/{slug}")).json()["article"]["tagList"]
        assert len(left) == 2
        assert "other" in left


@BOTH
async def test_an_article_that_is_deleted_meanwhile_is_not_there(project: Project) -> None:
    comment = {"comment": {"body": "Good."}}
    async with api(project) as http:
        ada, charles = await register(http, ADA), await register(http, CHARLES)
        for turn in range(1, 4):
            path = f"/articles/{await publish(http, ada)}"
            asked = [http.post(f"{path}/comments", json=comment, headers=charles) for _ in range(4)]
            asked += [http.post(f"{path}/favorite", headers=charles) for _ in range(4)]
            asked.insert(turn, http.delete(path, headers=ada))
            found = await statuses(asked)
            assert set(found) <= {200, 204, 404}, found
            assert found[204] == 1
            assert (await http.get(f"{path}/comments")).status_code == 404
