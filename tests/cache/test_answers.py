"""Answers of a route from the cache: right for HTTP, and never another caller's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from fastforge import get_asgi_application
from fastforge.cache import CacheError, cached
from fastforge.test import client
from tests.folder import ProjectFolder, isolated

ROUTES = """
    import asyncio

    from fastapi import APIRouter, BackgroundTasks, Depends, HTTPException, Request, Response
    from fastapi.responses import StreamingResponse
    from fastforge.cache import Cache, cached
    from fastforge.observability.context import user_id

    router = APIRouter()
    calls = []
    go_on = asyncio.Event()
    closed = False

    def count(request: Request) -> dict[str, object]:
        calls.append(str(request.url))
        return {"call": len(calls)}

    def guard() -> None:
        if closed:
            raise HTTPException(403)

    @router.get("/plain", dependencies=[Depends(guard), cached(ttl_s=60, tags=["t"])])
    def plain(request: Request):
        return count(request)

    @router.get("/q", dependencies=[cached(ttl_s=60, query=["page"], client_s=30)])
    def q(request: Request):
        return count(request)

    @router.get("/vary", dependencies=[cached(ttl_s=60, vary=["Accept-Language"])])
    def vary(request: Request):
        return count(request)

    @router.get("/mine", dependencies=[cached(ttl_s=60, vary=["Authorization"], client_s=30)])
    def mine(request: Request):
        return count(request) | {"of": request.headers.get("authorization")}

    @router.get("/everybody", dependencies=[cached(ttl_s=60, ignore=["Cookie"])])
    def everybody(request: Request):
        return count(request)

    @router.get("/known", dependencies=[cached(ttl_s=60)])
    async def known(request: Request):
        user_id.set("7")
        return count(request)

    @router.get("/sets-cookie", dependencies=[cached(ttl_s=60)])
    def sets_cookie(request: Request, response: Response):
        response.set_cookie("session", f"secret{len(calls)}")
        return count(request)

    @router.get("/control/{value}", dependencies=[cached(ttl_s=60)])
    def control(value: str, request: Request, response: Response):
        response.headers["Cache-Control"] = value
        return count(request)

    @router.get("/varies", dependencies=[cached(ttl_s=60)])
    def varies(request: Request, response: Response):
        response.headers["Vary"] = "Accept"
        return count(request)

    @router.get("/stream", dependencies=[cached(ttl_s=60)])
    def stream(request: Request):
        def parts():
            for _ in range(3):
                yield str(count(request)["call"])
        return StreamingResponse(parts())

    @router.get("/missing", dependencies=[cached(ttl_s=60)])
    def missing(request: Request):
        count(request)
        raise HTTPException(404)

    @router.get("/fails", dependencies=[cached(ttl_s=60)])
    async def fails(request: Request):
        count(request)
        await asyncio.sleep(0)
        raise ValueError("on purpose")

    @router.post("/plain", dependencies=[cached(ttl_s=60)])
    def posted(request: Request):
        return count(request)

    @router.get("/slow", dependencies=[cached(ttl_s=60, tags=lambda request: ["slow"])])
    async def slow(request: Request):
        found = count(request)
        await go_on.wait()
        return found

    @router.get("/own", dependencies=[cached(ttl_s=60)])
    def own(request: Request, response: Response):
        response.headers["ETag"] = '"mine"'
        return count(request)

    @router.get("/bytes", dependencies=[cached(ttl_s=60)])
    def raw():
        return Response(bytes(range(256)), media_type="application/x-own")

    @router.delete("/all")
    async def forget(cache: Cache):
        await cache.invalidate("t", "slow")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        settings = """
            from fastforge.conf import App
            SECRET_KEY = "k8Zq1vN0yT-4sWbJm7RcXo2LhUfEa9Gd"
            ALLOWED_HOSTS = ["*"]
            INSTALLED_APPS = [App("shop.pages", prefix="/pages")]
        """
        folder.write({"shop/settings.py": settings, "shop/pages/routes.py": ROUTES})
        yield folder


@asynccontextmanager
async def opened(folder: ProjectFolder) -> AsyncIterator[httpx.AsyncClient]:
    async with client(get_asgi_application(folder.load())) as http:
        http.base_url = httpx.URL("http://testserver/pages")
        yield http


@pytest.fixture
async def http(folder: ProjectFolder) -> AsyncIterator[httpx.AsyncClient]:
    async with opened(folder) as http:
        yield http


@pytest.fixture
def routes(http: httpx.AsyncClient) -> Any:
    import sys

    return sys.modules["shop.pages.routes"]


async def ask(http: httpx.AsyncClient, path: str, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await http.get(path, headers=named)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["call"])


async def test_a_second_request_does_not_reach_the_handler(http: httpx.AsyncClient) -> None:
    first = await http.get("/plain")
    second = await http.get("/plain")
    assert (first.json(), second.json()) == ({"call": 1}, {"call": 1})
    for name in ("etag", "vary", "cache-control", "content-type", "content-length"):
        assert first.headers[name] == second.headers[name]
    assert first.headers["cache-control"] == "no-cache"
    assert first.headers["vary"] == "authorization, cookie, x-api-key"
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert second.headers["x-content-type-options"] == "nosniff"


async def test_who_has_the_answer_is_told_so(http: httpx.AsyncClient) -> None:
    etag = (await http.get("/plain")).headers["etag"]
    for wanted in (etag, etag.removeprefix("W/"), f'"other", {etag}', "*"):
        same = await http.get("/plain", headers={"If-None-Match": wanted})
        assert (same.status_code, same.content) == (304, b"")
        assert same.headers["etag"] == etag
        assert "content-type" not in same.headers
        assert same.headers["vary"]
    other = await http.get("/plain", headers={"If-None-Match": '"other"'})
    assert other.status_code == 200


async def test_a_fresh_answer_is_compared_too_and_of_callers_with_credentials(
    http: httpx.AsyncClient,
) -> None:
    headers = {"Authorization": "Bearer x"}
    etag = (await http.get("/bytes", headers=headers)).headers["etag"]
    same = await http.get("/bytes", headers=headers | {"If-None-Match": etag})
    assert same.status_code == 304
    assert same.headers["cache-control"] == "private, no-cache"


async def test_invalidate_reaches_answers(http: httpx.AsyncClient) -> None:
    assert await ask(http, "/plain") == 1
    await http.delete("/all")
    assert await ask(http, "/plain") == 2


async def test_each_address_host_and_query_has_its_own_whatever_the_order(
    http: httpx.AsyncClient,
) -> None:
    assert await ask(http, "/plain?a=1&b=2") == 1
    assert await ask(http, "/plain?b=2&a=1") == 1
    assert await ask(http, "/plain?a=1&b=3") == 2
    assert await ask(http, "/plain?a=1&a=2") == 3
    assert await ask(http, "/plain?a=2&a=1") == 4
    assert await ask(http, "/plain?a=1%26b%3D2") == 5
    assert await ask(http, "/plain?a=1&b=2", host="other") == 6


async def test_parts_of_the_query_that_do_not_count_make_no_other_answer(
    http: httpx.AsyncClient,
) -> None:
    assert await ask(http, "/q?page=1&x=1") == 1
    assert await ask(http, "/q?page=1&x=2") == 1
    assert await ask(http, "/q?page=2") == 2
    control = (await http.get("/q?page=2")).headers["cache-control"]
    assert control == "public, max-age=30"


async def test_each_value_of_a_header_it_varies_by_has_its_own(http: httpx.AsyncClient) -> None:
    assert await ask(http, "/vary", accept_language="de") == 1
    assert await ask(http, "/vary", accept_language="fr") == 2
    assert await ask(http, "/vary", accept_language="de") == 1
    answer = await http.get("/vary")
    assert answer.headers["vary"].startswith("accept-language")


@pytest.mark.parametrize("name", ["Authorization", "Cookie", "X-API-Key"])
async def test_callers_with_credentials_neither_fill_the_cache_nor_are_answered_from_it(
    http: httpx.AsyncClient, name: str
) -> None:
    name = name.replace("-", "_")
    assert await ask(http, "/plain", **{name: "a"}) == 1
    assert await ask(http, "/plain") == 2
    assert await ask(http, "/plain", **{name: "a"}) == 3
    assert await ask(http, "/plain") == 2


async def test_who_asks_for_it_has_an_answer_for_each_caller(http: httpx.AsyncClient) -> None:
    for _ in range(2):
        for caller in ("Bearer a", "Bearer b"):
            answer = await http.get("/mine", headers={"Authorization": caller})
            assert answer.json()["of"] == caller
    assert answer.json()["call"] == 2
    assert answer.headers["cache-control"] == "private, max-age=30"


async def test_cookies_of_something_else_may_be_ignored(http: httpx.AsyncClient) -> None:
    assert await ask(http, "/everybody", cookie="a=1") == 1
    answer = await http.get("/everybody", headers={"Cookie": "a=2"})
    assert answer.json() == {"call": 1}
    assert "cookie" not in answer.headers["vary"]


@pytest.mark.parametrize(
    "path",
    [
        "/sets-cookie",
        "/known",
        "/control/no-store",
        "/control/private, max-age=5",
        "/control/no-cache",
        "/varies",
    ],
)
async def test_what_must_not_be_kept_is_not(http: httpx.AsyncClient, path: str) -> None:
    assert [await ask(http, path) for _ in range(3)] == [1, 2, 3]
    assert "public" not in (await http.get(path)).headers["cache-control"]


async def test_streams_errors_and_other_methods_pass(http: httpx.AsyncClient, routes: Any) -> None:
    assert [(await http.get("/stream")).text for _ in range(2)] == ["123", "456"]
    assert [(await http.get("/missing")).status_code for _ in range(2)] == [404, 404]
    assert len(routes.calls) == 8
    assert [(await http.post("/plain")).json()["call"] for _ in range(2)] == [9, 10]


async def test_a_failing_handler_is_a_500_for_each_and_nothing_is_kept(
    folder: ProjectFolder,
) -> None:
    application = get_asgi_application(folder.load())
    async with client(application, raise_app_exceptions=False) as http:
        answers = await asyncio.gather(*(http.get("/pages/fails") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {500}


async def test_what_stands_before_it_is_asked_at_a_hit_too(
    http: httpx.AsyncClient, routes: Any
) -> None:
    await http.get("/plain")
    routes.closed = True
    assert (await http.get("/plain")).status_code == 403
    routes.closed = False
    assert await ask(http, "/plain") == 1


async def test_of_many_at_once_one_reaches_the_handler(
    http: httpx.AsyncClient, routes: Any
) -> None:
    tasks = [asyncio.create_task(ask(http, "/slow")) for _ in range(100)]
    while not routes.calls:
        await asyncio.sleep(0)
    for _ in range(50):
        await asyncio.sleep(0)
    routes.go_on.set()
    assert await asyncio.gather(*tasks) == [1] * 100


async def test_those_who_wait_for_what_is_invalidated_ask_anew(
    http: httpx.AsyncClient, routes: Any
) -> None:
    before = asyncio.create_task(ask(http, "/slow"))
    while not routes.calls:
        await asyncio.sleep(0)
    await http.delete("/all")
    after = asyncio.create_task(ask(http, "/slow"))
    while len(routes.calls) < 2:
        await asyncio.sleep(0)
    routes.go_on.set()
    assert await before == 1
    assert await after == 2
    assert await ask(http, "/slow") == 2


async def test_an_etag_of_ones_own_and_any_bytes_are_kept(http: httpx.AsyncClient) -> None:
    for _ in range(2):
        assert (await http.get("/own")).headers["etag"] == '"mine"'
        answer = await http.get("/bytes")
        assert answer.content == bytes(range(256))
        assert answer.headers["content-type"] == "application/x-own"


@pytest.mark.parametrize(
    "wrong", [{"ttl_s": 0}, {"ttl_s": 1, "client_s": -1}, {"ttl_s": 1, "vary": ["*"]}]
)
def test_a_wrong_rule_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(CacheError) as caught:
        cached(**wrong)
    assert caught.value.code == "cache.E011"
