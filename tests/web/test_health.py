"""Probes tell whether a process lives and whether it should be given requests, and nothing else."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Message

from fastforge.lifecycle import Breaker, Container, Role, watched_breaker
from fastforge.web.audience import Audience
from fastforge.web.health import live_probe, ready_probe, startup_probe
from tests.folder import ProjectFolder, isolated

FOREVER_S = 3600
TOKEN = "a-token-that-nobody-guesses"
Inside = tuple[str, int]

RESOURCES = """
    import asyncio
    from fastforge.lifecycle import resource

    asked, broken, waiting = [], set(), None

    async def ping(name):
        asked.append(name)
        if waiting is not None:
            await waiting.wait()
        if name in broken:
            raise ConnectionError(f"{name} at 10.1.2.3 refuses hunter2")

    @resource(ping=ping)
    async def vault():
        yield "vault"

    @resource(ping=ping, required=False)
    async def mirror():
        yield "mirror"

    @resource
    async def silent():
        yield "silent"
    """


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(
            {
                "shop/settings.py": 'INSTALLED_APPS = ["shop.orders"]\n',
                "shop/orders/resources.py": RESOURCES,
            }
        )
        yield folder


class Probe:
    """A readiness probe, the resources that it asks, and its answers."""

    def __init__(self, container: Container, **limits: float) -> None:
        self.container: Container | None = container
        self.app = ready_probe(
            lambda: self.container,
            **{"timeout_s": 30, "cache_s": FOREVER_S, **limits},
            shows_details=Audience([], TOKEN).admits,
        )
        self.resources: Any = sys.modules["shop.orders.resources"]

    async def ask(self) -> tuple[int, dict[str, Any]]:
        answer = await ask(self.app)
        return answer.status, json.loads(answer.body)

    async def ask_for_details(self, token: str = TOKEN) -> dict[str, Any]:
        headers = [(b"authorization", f"Bearer {token}".encode())]
        answer = await ask(self.app, query=b"verbose", headers=headers)
        found: dict[str, Any] = json.loads(answer.body)
        return found


class Answer:
    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.body += message.get("body", b"")


async def ask(
    app: ASGIApp,
    method: str = "GET",
    *,
    query: bytes = b"",
    headers: Iterable[tuple[bytes, bytes]] = (),
) -> Answer:
    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    answer = Answer()
    scope = {"type": "http", "method": method, "path": "/", "query_string": query}
    await app({**scope, "headers": [*headers]}, receive, answer.send)
    return answer


@asynccontextmanager
async def probing(shop: ProjectFolder, **limits: float) -> AsyncIterator[Probe]:
    async with shop.load().running(Role.WEB) as container:
        yield Probe(container, **limits)


# --- what they answer ----------------------------------------------------------------------------


async def test_a_process_lives_as_long_as_it_answers() -> None:
    answer = await ask(live_probe())
    assert (answer.status, json.loads(answer.body)) == (200, {"status": "pass"})
    assert answer.headers["content-type"] == "application/health+json"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_process_is_ready_while_its_resources_work(shop: ProjectFolder) -> None:
    async with probing(shop) as probe:
        status, body = await probe.ask()
    assert (status, body["status"]) == (200, "pass")
    assert body["checks"]["vault"] == body["checks"]["mirror"] == [{"status": "pass"}]
    assert "silent" not in body["checks"]


async def test_a_required_resource_that_fails_makes_it_unready_and_tells_no_reason(
    shop: ProjectFolder,
) -> None:
    async with probing(shop) as probe:
        probe.resources.broken.add("vault")
        status, body = await probe.ask()
    assert (status, body["status"]) == (503, "fail")
    assert body["checks"]["vault"] == [{"status": "fail"}]
    assert "refuses" not in json.dumps(body)


async def test_a_resource_that_can_be_done_without_is_only_reported(shop: ProjectFolder) -> None:
    async with probing(shop) as probe:
        probe.resources.broken.add("mirror")
        status, body = await probe.ask()
    assert (status, body["status"]) == (200, "warn")
    assert body["checks"]["mirror"] == [{"status": "fail"}]


async def test_a_resource_that_hangs_fails_within_the_time_limit(shop: ProjectFolder) -> None:
    async with probing(shop, timeout_s=0.05) as probe:
        probe.resources.waiting = asyncio.Event()
        status, body = await probe.ask()
    assert (status, body["checks"]["vault"]) == (503, [{"status": "fail"}])


async def test_it_is_not_ready_before_the_start_nor_while_it_stops(shop: ProjectFolder) -> None:
    async with probing(shop) as probe:
        container, probe.container = probe.container, None
        assert (await probe.ask())[0] == 503
        probe.container = container
        assert (await probe.ask())[0] == 200
        assert container is not None
        container.draining = True
        assert await probe.ask() == (503, {"status": "fail", "notes": ["the process is stopping"]})
        container.draining = False
        container.stopping.set()
        assert (await probe.ask())[0] == 503


async def test_a_hiccup_of_a_required_resource_is_reported_only(shop: ProjectFolder) -> None:
    async with probing(shop, cache_s=0, grace_s=FOREVER_S) as probe:
        assert (await probe.ask())[0] == 200
        probe.resources.broken.add("vault")
        status, body = await probe.ask()
        assert (status, body["status"]) == (200, "warn")
        assert body["checks"]["vault"] == [{"status": "fail"}]
        probe.resources.broken.clear()
        assert (await probe.ask())[1]["status"] == "pass"


async def test_a_required_resource_that_fails_for_longer_makes_it_unready(
    shop: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now_s)
    async with probing(shop, cache_s=0, grace_s=5) as probe:
        statuses = []
        for step_s, broken in [(0, {}), (60, {"vault"}), (4, {"vault"}), (0, {}), (60, {"vault"})]:
            now_s += step_s
            probe.resources.broken = {*broken}
            statuses.append((await probe.ask())[0])
        assert statuses == [200] * 5
        now_s += 5
        assert (await probe.ask())[0] == 503


async def test_a_required_resource_that_has_never_worked_has_no_grace(shop: ProjectFolder) -> None:
    async with probing(shop, grace_s=FOREVER_S) as probe:
        probe.resources.broken.add("vault")
        assert (await probe.ask())[0] == 503


async def test_an_optional_one_is_only_reported_though_its_resource_is_required(
    shop: ProjectFolder,
) -> None:
    """Also when it does not answer in time."""
    resources = RESOURCES.replace(
        "@resource(ping=ping)\n", "@resource(ping=ping, optional=lambda each: each == 'vault')\n"
    )
    shop.write({"shop/orders/resources.py": resources})
    async with probing(shop, timeout_s=0.05) as probe:
        probe.resources.waiting = asyncio.Event()
        status, body = await probe.ask()
    assert (status, body["status"]) == (200, "warn")
    assert body["checks"]["vault"] == [{"status": "fail"}]


async def test_a_breaker_that_is_open_is_reported_without_its_reason(shop: ProjectFolder) -> None:
    async with probing(shop) as probe:
        breaker = watched_breaker(Breaker("search"))
        assert (await probe.ask())[1]["checks"]["search:breaker"] == [
            {"status": "pass", "observedValue": "closed"}
        ]
        breaker.trip(ConnectionError("search at 10.1.2.3 refuses hunter2"))
        status, body = await probe.ask()
        (whole,) = (await probe.ask_for_details())["checks"]["search:breaker"]
    assert (status, body["status"]) == (200, "warn")
    assert body["checks"]["search:breaker"] == [{"status": "warn", "observedValue": "open"}]
    assert "10.1.2.3" not in json.dumps(body)
    assert "10.1.2.3" in whole["output"]


async def test_a_start_that_is_over_stays_so() -> None:
    over = [False, True]
    probe = startup_probe(lambda: over[0])
    before = await ask(probe)
    assert (before.status, json.loads(before.body)["status"]) == (503, "fail")
    over.pop(0)
    after = await ask(probe)
    assert (after.status, json.loads(after.body)) == (200, {"status": "pass"})


# --- who is told why ------------------------------------------------------------------------------


async def test_whoever_runs_the_process_reads_why_a_resource_fails(shop: ProjectFolder) -> None:
    async with probing(shop) as probe:
        probe.resources.broken.add("vault")
        checks = (await probe.ask_for_details())["checks"]
        (vault,), (mirror,) = checks["vault"], checks["mirror"]
    assert (vault["status"], vault["required"]) == ("fail", True)
    assert "vault at 10.1.2.3 refuses" in vault["output"]
    assert (mirror["status"], mirror["required"]) == ("pass", False)
    assert mirror["observedUnit"] == "ms"
    assert mirror["observedValue"] >= 0
    assert datetime.fromisoformat(mirror["time"]).tzinfo is not None


async def test_a_reason_is_told_without_passwords(shop: ProjectFolder) -> None:
    resources = RESOURCES.replace("{name} at 10.1.2.3 refuses", "postgresql://shop:s3cret@db/")
    shop.write({"shop/orders/resources.py": resources})
    async with probing(shop) as probe:
        probe.resources.broken.add("vault")
        (vault,) = (await probe.ask_for_details())["checks"]["vault"]
    assert "postgresql://shop:***@db/" in vault["output"]


async def test_whoever_does_not_ask_for_details_or_may_not_have_them_reads_none(
    shop: ProjectFolder,
) -> None:
    async with probing(shop) as probe:
        probe.resources.broken.add("vault")
        brief = {"vault": [{"status": "fail"}], "mirror": [{"status": "pass"}]}
        assert (await probe.ask())[1]["checks"] == brief
        assert (await probe.ask_for_details("a-token-that-somebody-guesses"))["checks"] == brief
        assert (await probe.ask_for_details(""))["checks"] == brief


@pytest.mark.parametrize(
    ("client", "headers", "admitted"),
    [
        (("10.1.2.3", 4711), [], True),
        (("::ffff:10.1.2.3", 4711), [], True),
        (("fd00::1", 4711), [], True),
        (("10.1.2.3", 0), [(b"x-forwarded-for", b"10.1.2.3")], True),
        (("10.1.2.3", 4711), [(b"x-forwarded-for", b"10.1.2.3")], False),
        (("10.1.2.3", 4711), [(b"forwarded", b"for=10.1.2.3")], False),
        (("203.0.113.7", 4711), [], False),
        (("203.0.113.7", 0), [(b"x-forwarded-for", b"10.1.2.3, 203.0.113.7")], False),
        (("testclient", 50000), [], False),
        (None, [], False),
    ],
)
def test_a_network_is_that_of_the_client_and_not_of_a_proxy(
    client: Inside | None, headers: list[tuple[bytes, bytes]], admitted: bool
) -> None:
    """A client that a trusted proxy has told of has the port 0."""
    audience = Audience(["10.0.0.0/8", "fd00::/8"], "")
    assert audience.admits({"type": "http", "client": client, "headers": headers}) is admitted


def test_two_authorizations_are_none() -> None:
    sent = (b"authorization", f"Bearer {TOKEN}".encode())
    scope = {"type": "http", "client": None}
    assert Audience([], TOKEN).admits({**scope, "headers": [sent]})
    assert not Audience([], TOKEN).admits({**scope, "headers": [sent, sent]})


# --- how often resources are asked ---------------------------------------------------------------


async def test_many_who_ask_at_once_are_one_question(shop: ProjectFolder) -> None:
    async with probing(shop, cache_s=0) as probe:
        probe.resources.waiting = asyncio.Event()
        many = [asyncio.create_task(probe.ask()) for _ in range(20)]
        await asyncio.sleep(0)
        probe.resources.waiting.set()
        assert {status for status, _ in await asyncio.gather(*many)} == {200}
        assert sorted(probe.resources.asked) == ["mirror", "vault"]
        await probe.ask()
        assert len(probe.resources.asked) == 4


async def test_an_answer_is_used_again_for_a_while(shop: ProjectFolder) -> None:
    async with probing(shop) as probe:
        assert await probe.ask() == await probe.ask()
        assert len(probe.resources.asked) == 2


async def test_one_who_asks_and_leaves_takes_the_answer_from_nobody(shop: ProjectFolder) -> None:
    async with probing(shop) as probe:
        probe.resources.waiting = asyncio.Event()
        first, second = (asyncio.create_task(probe.ask()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        probe.resources.waiting.set()
        assert (await second)[0] == 200


async def test_a_project_that_is_started_again_is_asked_again(shop: ProjectFolder) -> None:
    async with probing(shop) as probe:
        await probe.ask()
    async with shop.load().running(Role.WEB) as probe.container:
        await probe.ask()
    assert len(probe.resources.asked) == 4


# --- methods -------------------------------------------------------------------------------------


async def test_head_is_answered_without_a_body() -> None:
    probe = live_probe()
    got, head = await ask(probe), await ask(probe, "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers == got.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_another_method_is_not_allowed(method: str) -> None:
    answer = await ask(live_probe(), method)
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert json.loads(answer.body)["status"] == 405
