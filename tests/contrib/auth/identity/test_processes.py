"""Two servers with a database in common, and perhaps a Redis: who is out is out everywhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from fastforge.contrib.auth.terminal import PASSWORD_VARIABLE
from fastforge.test import run_command
from fastforge.test.proxy import Proxy
from tests.commanding import start
from tests.contrib.auth.conftest import PASSWORD
from tests.folder import ProjectFolder
from tests.processes import Process, fetch, free_port, wait_until

from .conftest import VERIFIERS, text

ROUTES = """
    from fastapi import APIRouter

    from fastforge.contrib.auth import CurrentIdentity
    from fastforge.contrib.auth.default_user.models import User
    from fastforge.contrib.db import DbSession

    router = APIRouter()

    @router.get("/me")
    async def me(me: CurrentIdentity) -> int:
        return me.id

    @router.post("/users/{key}/active/{active}")
    async def activate(key: int, active: bool, db: DbSession) -> None:
        (await db.get_one(User, key)).is_active = active
"""
BEARER = {"Authorization": "Bearer word-1"}
EVERYWHERE_S = 1.0


@pytest.fixture
def redis(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a Redis that answers, or of one that is dead."""
    if request.param == "alive":
        yield request.getfixturevalue("redis_url")
        return
    with Proxy(("127.0.0.1", free_port())) as proxy:
        proxy.blackhole()
        host, port = proxy.address
        yield f"redis://{host}:{port}/0"


@pytest.fixture
def servers(
    folder: ProjectFolder, postgres_url: str, redis: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[str]]:
    """Two processes that serve the project."""
    # What cannot be confirmed is not believed: so the second holds on a machine that hangs too.
    more = f"""
    REDIS = {{"url": {redis!r}}}
    CACHE = {{"backend": "redis"}}
    LOGGING = {{"format": "console"}}
"""
    settings = text(
        postgres_url,
        auth="max_unconfirmed_s=0, identity_ttl_s=3600",
        apps='"fastforge.contrib.redis", "shop.web"',
        more=more,
    )
    folder.write(
        {
            "shop/settings.py": settings,
            "shop/web/routes.py": ROUTES,
            "shop/web/token_verifiers.py": VERIFIERS,
        }
    )
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    project = folder.load()
    assert run_command(project, "migrate").exit_code == 0
    assert run_command(project, "createuser", "ann@example.org").exit_code == 0
    with ExitStack() as stack:
        yield [serve(folder, stack) for _ in range(2)]


def serve(folder: ProjectFolder, stack: ExitStack) -> str:
    port = free_port()
    argv = (sys.executable, "-m", "fastforge", "runserver", str(port), "--no-reload", "--no-worker")
    environ = {"FASTFORGE_ENV": "development"}
    server: Process = stack.enter_context(start(argv, cwd=folder.path, env=environ))
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: server.alive and status_of(url) == 200, describe=server)
    return url


def status_of(url: str) -> int:
    answer = fetch(f"{url}/me", headers=BEARER)
    return 0 if answer is None else answer.status


@pytest.mark.parametrize(
    "redis", ["dead", pytest.param("alive", marks=pytest.mark.long)], indirect=True
)
def test_who_is_deactivated_by_one_process_is_out_in_another_within_a_second(
    servers: list[str],
) -> None:
    """With no pub/sub, and with a Redis that swallows all packets."""
    here, there = servers
    for active in (False, True, False):
        answer = fetch(f"{here}/users/1/active/{active}", method="POST")
        committed = time.monotonic()
        assert answer is not None
        assert answer.status == 200
        expected = 200 if active else 401
        assert status_of(here) == expected  # at once where it was done
        sent = time.monotonic()
        while status_of(there) != expected:
            assert sent - committed < EVERYWHERE_S
            sent = time.monotonic()
        assert status_of(there) == expected
