"""Limits as a client meets them: per route, address and caller, with the headers that say it."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient, WebSocketDenialResponse

from fastforge import Role, get_asgi_application
from fastforge.contrib.ratelimit import RateLimitError
from fastforge.contrib.ratelimit.limits import limits_of
from fastforge.contrib.ratelimit.resources import rate_counters
from fastforge.observability.events import RATE_LIMITED
from fastforge.observability.metrics import snapshot
from fastforge.observability.metrics.demand import exporting
from fastforge.test import client
from tests.folder import ProjectFolder

from .conftest import settings


def told(answer: Any, header: str) -> list[str]:
    return [each.strip() for each in answer.headers.get(header, "").split(",") if each]


async def test_who_asks_too_often_is_refused_and_told_when_to_come_again(
    folder: ProjectFolder,
) -> None:
    async with client(folder.load()) as http:
        answers = [await http.get("/read") for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 429]
    refused = answers[-1]
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "ratelimit.E001"
    assert refused.json()["detail"] == "too many requests: 2/day by address"
    assert 1 <= int(refused.headers["retry-after"]) <= 86_401


async def test_each_answer_says_what_is_left(folder: ProjectFolder) -> None:
    async with client(folder.load()) as http:
        answers = [await http.get("/read") for _ in range(3)]
        failed = await http.get("/failing")
        free = await http.get("/free")
    policies = {each.headers["ratelimit-policy"] for each in answers}
    assert policies == {'"2/day by address";q=2;w=86400'}
    left = [each.headers["ratelimit"].rpartition(";t=")[0] for each in answers]
    assert left == [f'"2/day by address";r={number}' for number in (1, 0, 0)]
    assert failed.status_code == 409
    assert failed.headers["ratelimit"].startswith('"9/day by address";r=8;t=')
    assert "ratelimit" not in free.headers


async def test_headers_can_be_left_out(folder: ProjectFolder) -> None:
    folder.write({"shop/settings.py": settings("headers=False")})
    async with client(folder.load()) as http:
        answers = [await http.get("/read") for _ in range(3)]
    assert not any("ratelimit" in each.headers for each in answers)
    assert "retry-after" in answers[-1].headers


async def test_each_route_counts_for_itself_whatever_its_parameters_are(
    folder: ProjectFolder,
) -> None:
    async with client(folder.load()) as http:
        of = [(await http.get(f"/of/{name}")).status_code for name in "abc"]
        others = [(await http.get("/read")).status_code, (await http.post("/write")).status_code]
    assert of == [200, 200, 429]
    assert others == [200, 200]


async def test_what_has_a_name_is_counted_together(folder: ProjectFolder) -> None:
    async with client(folder.load()) as http:
        answers = [await http.get(path) for path in ("/group/a", "/group/b", "/group/a")]
    assert [each.status_code for each in answers] == [200, 200, 429]
    assert told(answers[0], "ratelimit-policy") == ['"2/day by address for group";q=2;w=86400']


async def test_a_refused_request_uses_up_nothing_of_the_longer_limit(
    folder: ProjectFolder,
) -> None:
    async with client(folder.load()) as http:
        answers = [await http.get("/two") for _ in range(9)]
    assert [each.status_code for each in answers] == [200] * 3 + [429] * 6
    assert told(answers[2], "ratelimit-policy") == [
        '"3/day by address";q=3;w=86400',
        '"5/month by address";q=5;w=2592000',
    ]
    assert '"5/month by address";r=2' in answers[2].headers["ratelimit"]


async def ask_from(http: Any, *addresses: str) -> list[int]:
    return [
        (await http.get("/read", headers={"x-forwarded-for": each})).status_code
        for each in addresses
    ]


async def test_addresses_are_counted_apart_and_an_ipv6_network_together(
    folder: ProjectFolder,
) -> None:
    async with client(folder.load()) as http:
        one = await ask_from(http, *["203.0.113.7"] * 3)
        other = await ask_from(http, "203.0.113.8", "::ffff:203.0.113.8", "203.0.113.8")
        six = await ask_from(http, "2001:db8::1", "2001:db8::2:3:4:5", "2001:db8:0:0:9::")
        far = await ask_from(http, "2001:db8:0:1::1")
    assert (one, other, six, far) == ([200, 200, 429], [200, 200, 429], [200, 200, 429], [200])


async def test_whoever_forwards_is_not_believed_unless_he_is_a_proxy(
    folder: ProjectFolder,
) -> None:
    folder.write({"shop/settings.py": settings(more="TRUSTED_PROXIES = []")})
    async with client(folder.load()) as http:
        assert await ask_from(http, "203.0.113.1", "203.0.113.2", "203.0.113.3") == [200, 200, 429]


async def test_a_caller_of_an_app_is_counted_and_unknown_ones_by_address(
    folder: ProjectFolder,
) -> None:
    async def ask(*tenants: str) -> list[int]:
        heads = [{"x-tenant": each} if each else {} for each in tenants]
        return [(await http.get("/tenant", headers=each)).status_code for each in heads]

    async with client(folder.load()) as http:
        assert await ask("a", "b", "a") == [200, 200, 429]
        assert await ask("", "bad") == [200, 429]  # a bad credential is nobody's


async def test_a_function_says_who_asks_and_who_is_not_limited(folder: ProjectFolder) -> None:
    async with client(folder.load()) as http:
        words = [(await http.get("/word", params={"word": each})).status_code for each in "aab"]
        without = [await http.get("/word") for _ in range(3)]
    assert words == [200, 429, 200]
    assert [each.status_code for each in without] == [200] * 3
    assert "ratelimit" not in without[0].headers


async def test_the_default_counts_all_requests_together_also_those_that_find_nothing(
    folder: ProjectFolder,
) -> None:
    folder.write({"shop/settings.py": settings("default='3/day', exempt_paths=['/free']")})
    async with client(folder.load()) as http:
        answers = [await http.get(path) for path in ("/read", "/nothing", "/group/a", "/read")]
        free = await http.get("/free")
    assert [each.status_code for each in answers] == [200, 404, 200, 429]
    assert free.status_code == 200
    assert told(answers[0], "ratelimit-policy") == [
        '"3/day by address for everything";q=3;w=86400',
        '"2/day by address";q=2;w=86400',
    ]
    assert answers[-1].json()["code"] == "ratelimit.E001"
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert told(answers[1], "ratelimit") != []


async def test_proxies_that_nobody_trusts_are_told_of_once(
    folder: ProjectFolder, caplog: pytest.LogCaptureFixture
) -> None:
    folder.write({"shop/settings.py": settings(more="TRUSTED_PROXIES = []")})
    async with client(folder.load()) as http:
        await ask_from(http, "203.0.113.1", "203.0.113.2")
    told = [each for each in caplog.messages if "TRUSTED_PROXIES names nobody" in each]
    assert len(told) == 1


async def test_a_name_breaks_no_header(folder: ProjectFolder) -> None:
    async with client(folder.load()) as http:
        answer = await http.get("/odd")
    assert (
        answer.headers["ratelimit-policy"] == '"9/day by address for a ?b???x-c: d ?";q=9;w=86400'
    )
    assert "x-c" not in answer.headers


def test_a_socket_is_refused_before_it_is_accepted(folder: ProjectFolder) -> None:
    app = get_asgi_application(folder.load())
    with TestClient(app, base_url="http://localhost", backend="asyncio") as http:
        for _ in range(2):
            with http.websocket_connect("/feed") as socket:
                assert socket.receive_text() == "hello"
        with pytest.raises(WebSocketDenialResponse) as caught, http.websocket_connect("/feed"):
            pass
    assert caught.value.status_code == 429
    assert int(caught.value.headers["retry-after"]) >= 1


async def test_outcomes_are_counted_for_who_exports_metrics(folder: ProjectFolder) -> None:
    limits = limits_of("2/day")
    async with folder.load().running(Role.COMMAND) as container:
        with exporting(container):
            for who in ("ann", "ann", "ann", "bob"):
                await container[rate_counters].take(limits, who, by="user", when_away="pass")
            samples = [each for each in snapshot(container) if each.metric is RATE_LIMITED]
    assert {each.labels: each.value for each in samples} == {
        ("user", "passed"): 3,
        ("user", "refused"): 1,
    }


async def test_what_the_default_refuses_has_the_form_of_other_errors(
    folder: ProjectFolder,
) -> None:
    form = """
        from fastforge.web import Problem, error_format

        @error_format(prefix="/")
        def short(problem: Problem) -> dict[str, str]:
            return {"short": problem.detail}
    """
    folder.write({"shop/settings.py": settings("default='1/day'"), "shop/orders/errors.py": form})
    async with client(folder.load()) as http:
        await http.get("/free")
        refused = await http.get("/nothing")
    assert refused.status_code == 429
    assert refused.json() == {"short": "too many requests: 1/day by address for everything"}


async def test_each_start_begins_with_nothing_counted(folder: ProjectFolder) -> None:
    """So does each test of a project."""
    for _ in range(2):
        async with client(folder.load()) as http:
            assert await ask_from(http, *["203.0.113.7"] * 3) == [200, 200, 429]


@pytest.mark.parametrize("text", ["", "often", "0/day", "10", "10/fortnight", "5/minute;"])
async def test_limits_that_limit_nothing_are_refused_where_they_are_written(
    folder: ProjectFolder, text: str
) -> None:
    routes = f"""
        from fastapi import APIRouter
        from fastforge.contrib.ratelimit import rate_limit

        router = APIRouter(dependencies=[rate_limit({text!r})])
    """
    folder.write({"shop/orders/routes.py": routes})
    with pytest.raises(RateLimitError, match="limits nothing") as caught:
        folder.load()
    assert caught.value.code == "ratelimit.E002"
    assert str(caught.value.where).endswith("shop/orders/routes.py:4")
