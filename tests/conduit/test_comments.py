"""The comments of the example, and who follows whom."""

from __future__ import annotations

from fastforge import Project

from .conftest import BOTH
from .people import ADA, CHARLES, api, publish, register


@BOTH
async def test_comments_are_listed_the_newest_first_and_deleted_by_who_wrote_them(
    project: Project,
) -> None:
    async with api(project) as http:
        ada, charles = await register(http, ADA), await register(http, CHARLES)
        path = f"/articles/{await publish(http, ada)}/comments"
        bodies = ["First.", "Second."]
        made = [
            (await http.post(path, json={"comment": {"body": body}}, headers=charles)).json()
            for body in bodies
        ]
        await http.post("/profiles/charles/follow", headers=ada)
        listed = (await http.get(path, headers=ada)).json()["comments"]
        assert [comment["body"] for comment in listed] == bodies[::-1]
        assert [comment["author"]["following"] for comment in listed] == [True, True]
        assert not (await http.get(path)).json()["comments"][0]["author"]["following"]
        first = f"{path}/{made[0]['comment']['id']}"
        assert (await http.delete(first)).status_code == 401
        assert (await http.delete(first, headers=ada)).status_code == 403
        assert (await http.delete(first, headers=charles)).status_code == 204
        assert (await http.delete(first, headers=charles)).status_code == 404
        assert [each["body"] for each in (await http.get(path)).json()["comments"]] == ["Second."]


async def test_a_comment_belongs_to_its_article_and_has_words(project: Project) -> None:
    async with api(project) as http:
        ada = await register(http, ADA)
        one, other = [f"/articles/{await publish(http, ada)}/comments" for _ in range(2)]
        body = {"comment": {"body": "Good."}}
        number = (await http.post(one, json=body, headers=ada)).json()["comment"]["id"]
        assert (await http.delete(f"{other}/{number}", headers=ada)).status_code == 404
        none = "/articles/none/comments"
        assert (await http.get(none)).status_code == 404
        assert (await http.post(none, json=body, headers=ada)).status_code == 404
        assert (await http.post(none, json=body)).status_code == 401
        assert (await http.delete(f"{none}/{number}", headers=ada)).status_code == 404
        assert (await http.post(one, json=body)).status_code == 401
        for empty in ({"body": ""}, {"body": "  "}, {}):
            answer = await http.post(one, json={"comment": empty}, headers=ada)
            assert answer.status_code == 422
        huge = await http.delete(f"{one}/{10**30}", headers=ada)
        assert huge.status_code == 404


@BOTH
async def test_somebody_follows_somebody_and_no_more(project: Project) -> None:
    async with api(project) as http:
        ada, charles = await register(http, ADA), await register(http, CHARLES)
        path = "/profiles/ada/follow"
        for _ in range(2):  # twice is as good as once
            profile = (await http.post(path, headers=charles)).json()["profile"]
            assert profile["following"]
        assert (await http.get("/profiles/ada", headers=charles)).json()["profile"]["following"]
        assert not (await http.get("/profiles/charles", headers=ada)).json()["profile"]["following"]
        assert not (await http.get("/profiles/ada")).json()["profile"]["following"]
        for _ in range(2):
            profile = (await http.delete(path, headers=charles)).json()["profile"]
            assert not profile["following"]
        assert (await http.post(path)).status_code == 401
        assert (await http.post(path, headers=ada)).status_code == 422  # themselves
        for nobody in ("/profiles/nobody", "/profiles/nobody/follow"):
            send = http.get if nobody.endswith("nobody") else http.post
            assert (await send(nobody, headers=ada)).status_code == 404
