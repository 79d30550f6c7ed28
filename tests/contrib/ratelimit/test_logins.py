"""Who tries passwords is stopped, by account and by address, also while Redis is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from fastforge import Project, Role
from fastforge.contrib.auth import Attempt, TooManyAttempts
from fastforge.contrib.auth.terminal import PASSWORD_VARIABLE
from fastforge.contrib.ratelimit.login_guards import LOGINS
from fastforge.lifecycle import Container, use_container
from fastforge.test import client, run_command
from fastforge.test.proxy import Proxy
from tests.contrib.auth import conftest as auth
from tests.folder import ProjectFolder

HERE = "203.0.113.7"
LIMITS = """
    RATE_LIMIT = {{
        "login_by_account_and_address": "2/day",
        "login_by_account": "4/day",
        "login_by_address": "6/day",
        "storage": {storage!r},
    }}
    {more}
"""
REDIS = """
    from fastforge.contrib.redis import Redis
    REDIS = Redis(url={url!r}, connect_timeout_s=0.2, read_timeout_s=0.2)
"""
ROUTES = """
    from fastapi import APIRouter

    from fastforge.contrib.auth import CurrentIdentity, authenticate
    from fastforge.contrib.db import DbSession, non_atomic
    from fastforge.contrib.ratelimit import rate_limit

    router = APIRouter()

    @router.post("/login")
    @non_atomic
    async def login(email: str, password: str, db: DbSession) -> bool:
        return await authenticate(db, email, password) is not None

    @router.get("/mine", dependencies=[rate_limit("2/day", by="user")])
    async def mine() -> str:
        return "mine"

    @router.get("/keyed", dependencies=[rate_limit("1/day", by="key")])
    async def keyed(me: CurrentIdentity) -> str:
        return me.kind
"""
VERIFIERS = """
    from fastforge.contrib.auth import Identity, InvalidToken, TokenVerifier

    class Words(TokenVerifier):
        name = "words"

        def accepts(self, token: str) -> bool:
            return token.startswith("word-")

        async def verify(self, token: str) -> Identity:
            _, user, kind, name = token.split("-")
            if user == "bad":
                raise InvalidToken("it is bad")
            return Identity(id=user, version=1, kind=kind, token_id=name)

    WORDS = Words()
"""


def write(folder: ProjectFolder, *, storage: str = "memory", url: str = "") -> Project:
    apps = '"fastforge.contrib.ratelimit", "shop.web",'
    more = REDIS.format(url=url).strip() if url else ""
    apps += ' "fastforge.contrib.redis",' if url else ""
    text = auth.settings(apps=apps) + LIMITS.format(storage=storage, more=more)
    folder.write(
        {
            "shop/settings.py": text + '    TRUSTED_PROXIES = ["127.0.0.1"]\n',
            "shop/web/routes.py": ROUTES,
            "shop/web/token_verifiers.py": VERIFIERS,
        }
    )
    return folder.load()


folder = auth.folder


@pytest.fixture
def project(folder: ProjectFolder) -> Project:
    return write(folder)


@pytest.fixture
async def container(project: Project) -> AsyncIterator[Container]:
    async with project.running(Role.COMMAND) as container:
        with use_container(container):
            yield container


async def tries(login: str, address: str | None = HERE, *, succeeded: bool = False) -> bool:
    """Whether somebody may try a password."""
    attempt = Attempt(action="login", login=login, address=address)
    try:
        await LOGINS.before(attempt)
    except TooManyAttempts:
        return False
    await LOGINS.after(attempt, succeeded)
    return True


async def test_one_address_may_try_an_account_so_often(container: Container) -> None:
    assert [await tries("ann") for _ in range(3)] == [True, True, False]
    assert await tries("ann", "203.0.113.8")
    assert await tries("bob")


async def test_what_one_address_tries_does_not_keep_the_owner_out(container: Container) -> None:
    """It is stopped before it has used up what all addresses together may."""
    assert sum([await tries("ann") for _ in range(50)]) == 2
    assert [await tries("ann", "198.51.100.1") for _ in range(2)] == [True, True]


async def test_many_addresses_may_try_an_account_so_often_together(container: Container) -> None:
    addresses = [f"198.51.100.{number}" for number in range(9)]
    assert sum([await tries("ann", each) for each in addresses]) == 4


async def test_one_address_may_try_so_many_accounts_and_ipv6_networks_are_one(
    container: Container,
) -> None:
    assert sum([await tries(f"user{number}") for number in range(9)]) == 6
    six = [f"2001:db8::{number}" for number in range(1, 10)]
    assert sum([await tries(f"user{each[-1]}", each) for each in six]) == 6


async def test_a_hundred_at_once_are_no_more_than_may(container: Container) -> None:
    assert sum(await asyncio.gather(*(tries("ann") for _ in range(100)))) == 2


async def test_who_logs_in_has_used_up_nothing(container: Container) -> None:
    assert all([await tries("ann", succeeded=True) for _ in range(20)])
    assert all([await tries(f"user{number}", succeeded=True) for number in range(20)])
    assert [await tries("ann") for _ in range(3)] == [True, True, False]


async def test_a_mail_that_was_sent_is_counted_all_the_same(container: Container) -> None:
    attempt = Attempt(action="reset", login="ann", address=HERE)
    for _ in range(2):
        await LOGINS.before(attempt)
        await LOGINS.after(attempt, True)
    with pytest.raises(TooManyAttempts):
        await LOGINS.before(attempt)
    assert await tries("ann")  # another thing


async def test_without_an_address_the_account_is_limited(container: Container) -> None:
    assert sum([await tries("ann", None) for _ in range(9)]) == 4


async def test_without_a_login_the_address_is(container: Container) -> None:
    assert sum([await tries("") for _ in range(9)]) == 6


async def test_while_redis_is_away_each_process_counts(
    folder: ProjectFolder, redis_url: str
) -> None:
    with Proxy(redis_url) as proxy:
        project = write(folder, storage="redis", url=proxy.url)
        async with project.running(Role.COMMAND) as container:
            with use_container(container):
                assert [await tries("ann") for _ in range(3)] == [True, True, False]
                proxy.refuse()
                proxy.reset()
                assert [await tries("bob") for _ in range(3)] == [True, True, False]
                assert [await tries("eve", succeeded=True) for _ in range(3)] == [True] * 3


@pytest.fixture
def migrated(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv(PASSWORD_VARIABLE, auth.PASSWORD)
    assert run_command(project, "migrate").exit_code == 0
    assert run_command(project, "createuser", "ann@example.org").exit_code == 0
    return project


async def test_logins_are_limited_as_soon_as_both_apps_are_installed(migrated: Project) -> None:
    """The right password does not help any more either; elsewhere it does."""
    wrong = {"email": "ann@example.org", "password": "plum"}
    right = {"email": "ANN@example.org", "password": auth.PASSWORD}
    elsewhere = {"x-forwarded-for": "198.51.100.1"}
    async with client(migrated) as http:
        failed = [await http.post("/login", params=wrong) for _ in range(2)]
        refused = await http.post("/login", params=right)
        let_in = await http.post("/login", params=right, headers=elsewhere)
    assert [each.text for each in failed] == ["false", "false"]
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.json()["code"] == "auth.E050"
    assert "ann" not in refused.text
    assert let_in.text == "true"


async def test_limits_by_user_and_by_key_know_who_has_a_token(migrated: Project) -> None:
    async def ask(path: str, *tokens: str) -> list[int]:
        heads = [{"authorization": f"Bearer word-{each}"} if each else {} for each in tokens]
        return [(await http.get(path, headers=head)).status_code for head in heads]

    async with client(migrated) as http:
        assert await ask("/mine", "1-token-a", "1-token-b", "1-token-a") == [200, 200, 429]
        assert await ask("/mine", "2-token-a", "", "bad-token-a", "") == [200, 200, 200, 429]
        assert await ask("/keyed", "1-api_key-a", "1-api_key-b", "2-api_key-a") == [200, 200, 429]
        assert await ask("/keyed", "1-token-a", "2-token-b") == [200, 429]  # by address
