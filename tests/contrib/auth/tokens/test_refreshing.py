"""A refresh token is good once: for its owner, for a thief, for two at the same time."""

from __future__ import annotations

import logging

import anyio
import httpx
import pytest
import sqlalchemy as sa

from fastforge import Project
from fastforge.contrib.auth import InvalidToken, TokenPair, refresh
from fastforge.contrib.auth.models import TokenFamily
from fastforge.contrib.auth.resources import token_keys
from fastforge.contrib.auth.tokens.pairs import RefreshToken
from fastforge.contrib.db import session
from fastforge.contrib.db.errors import TransactionMisuse
from fastforge.lifecycle import current_container
from fastforge.test import client, run_command
from tests.folder import ProjectFolder

from .conftest import KEY, Clock, Start, ann, change, is_good, pair, together
from .conftest import text as settings_of

NO_GRACE = "refresh_grace_s=0"


async def refreshed(token: str) -> TokenPair:
    async with session() as db:
        return await refresh(db, token)


async def reason_of(token: str) -> str:
    with pytest.raises(InvalidToken) as caught:
        await refreshed(token)
    assert str(caught.value.message) == "the credential is wrong, or not good any more"
    return caught.value.reason


async def families() -> list[TokenFamily]:
    async with session() as db:
        return list(await db.scalars(sa.select(TokenFamily)))


@pytest.mark.parametrize("form", ["opaque", "jwt"])
async def test_a_refresh_gives_another_pair_and_the_access_token_before_it_ends_by_itself(
    start: Start, form: str
) -> None:
    async with start(auth=f"access_tokens={form!r}"):
        first = await pair(await ann(scopes=["a"]))
        second = await refreshed(first.refresh_token)
        third = await refreshed(second.refresh_token)
        texts = {each.refresh_token for each in (first, second, third)}
        texts |= {each.access_token for each in (first, second, third)}
        assert len(texts) == 6
        assert third.scopes == {"a"}
        assert await is_good(first.access_token)
        assert await is_good(third.access_token)
        assert [each.generation for each in await families()] == [2]


async def test_a_client_that_heard_no_answer_is_given_the_same_refresh_token(
    start: Start, clock: Clock
) -> None:
    async with start():
        first = await pair(await ann())
        lost = await refreshed(first.refresh_token)
        clock.advance(9)
        again = await refreshed(first.refresh_token)
        assert again.refresh_token == lost.refresh_token
        assert again.access_token != lost.access_token
        assert [each.generation for each in await families()] == [1]
        await refreshed(again.refresh_token)


async def test_a_token_that_comes_again_later_ends_the_login_for_owner_and_thief(
    start: Start, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    async with start():
        user = await ann()
        first = await pair(user)
        owners = await refreshed(first.refresh_token)
        clock.advance(11)
        assert await reason_of(first.refresh_token) == "it was used before"
        assert await reason_of(owners.refresh_token) == "its login was revoked"
        assert not await is_good(owners.access_token)
        assert not await is_good(first.access_token)
    lines = [each for each in caplog.records if each.getMessage() == "auth.refresh_reused"]
    assert [each.__dict__["user_id"] for each in lines] == [str(user.id)]
    assert first.refresh_token not in caplog.text


async def test_a_token_of_the_generation_before_the_last_is_a_theft_at_once(start: Start) -> None:
    async with start():
        first = await pair(await ann())
        second = await refreshed(first.refresh_token)
        await refreshed(second.refresh_token)
        assert await reason_of(first.refresh_token) == "it was used before"


async def test_a_thief_who_is_quick_is_found_out_when_the_owner_comes(
    start: Start, clock: Clock
) -> None:
    async with start():
        first = await pair(await ann())
        owners = await refreshed(first.refresh_token)
        thiefs = await refreshed(first.refresh_token)
        clock.advance(600)
        await refreshed(thiefs.refresh_token)
        clock.advance(600)
        assert await reason_of(owners.refresh_token) == "it was used before"
        assert (await families())[0].revoked_at is not None


async def test_two_refreshes_of_one_token_at_once_are_one(start: Start, database_url: str) -> None:
    async with start(database_url):
        first = await pair(await ann())
        found = await together(*(refreshed(first.refresh_token) for _ in range(4)))
        assert len({each.refresh_token for each in found}) == 1
        assert [each.generation for each in await families()] == [1]
        await refreshed(found[0].refresh_token)


async def test_without_a_grace_one_of_two_at_once_wins_and_the_login_ends(
    start: Start, database_url: str
) -> None:
    async with start(database_url, auth=NO_GRACE):
        first = await pair(await ann())
        found = await together(*(refreshed(first.refresh_token) for _ in range(2)))
        won = [each for each in found if isinstance(each, TokenPair)]
        lost = [each for each in found if isinstance(each, InvalidToken)]
        assert (len(won), [each.reason for each in lost]) == (1, ["it was used before"])
        assert not await is_good(won[0].access_token)


async def test_without_a_grace_a_clock_that_is_set_back_makes_none(
    start: Start, clock: Clock
) -> None:
    async with start(auth=NO_GRACE):
        first = await pair(await ann())
        await refreshed(first.refresh_token)
        clock.advance(-5)
        assert await reason_of(first.refresh_token) == "it was used before"


async def test_a_clock_that_is_set_back_makes_the_grace_no_longer(
    start: Start, clock: Clock
) -> None:
    async with start():
        first = await pair(await ann())
        await refreshed(first.refresh_token)
        clock.wall_s -= 3600
        clock.advance(11)
        assert await reason_of(first.refresh_token) == "it was used before"


async def test_a_login_ends_when_it_is_not_refreshed(start: Start, clock: Clock) -> None:
    async with start(auth="refresh_ttl_s=100"):
        first = await pair(await ann())
        clock.advance(99)
        second = await refreshed(first.refresh_token)
        clock.advance(101)
        assert await reason_of(second.refresh_token) == "its login has ended"


async def test_a_login_ends_however_often_it_is_refreshed(start: Start, clock: Clock) -> None:
    async with start(auth="refresh_ttl_s=100, login_ttl_s=150"):
        given = await pair(await ann())
        clock.advance(90)
        given = await refreshed(given.refresh_token)
        assert 58 <= given.expires_in_s <= 60
        clock.advance(61)
        assert await reason_of(given.refresh_token) == "its login has ended"
        assert not await is_good(given.access_token)


@pytest.mark.parametrize("fields", [{"is_active": False}, {"scopes": ["b"]}])
async def test_a_user_who_has_changed_meanwhile_is_refused(
    start: Start, fields: dict[str, object]
) -> None:
    async with start():
        first = await pair(await ann())
        await change(**fields)
        assert (await reason_of(first.refresh_token)).startswith("its user")
        assert [each.generation for each in await families()] == [0]


async def test_a_database_that_is_an_older_one_ends_no_login(start: Start) -> None:
    """A backup knows the tokens of its time alone; those after it are refused, and no theft."""
    async with start():
        first = await pair(await ann())
        second = await refreshed(first.refresh_token)
        async with session() as db, db.atomic():
            await db.execute(sa.update(TokenFamily).values(generation=0, secret_hash=b"x" * 32))
        assert await reason_of(second.refresh_token) == "its login does not know it"
        assert [each.revoked_at for each in await families()] == [None]


async def test_a_refresh_takes_a_login_over_to_the_new_key(start: Start) -> None:
    newer = "a-newer-key-of-these-tests-" * 2
    async with start():
        first = await pair(await ann())
        lost = await refreshed(first.refresh_token)
    async with start(key=newer, old=KEY):
        again = await refreshed(first.refresh_token)
        token = RefreshToken.read(current_container()[token_keys], again.refresh_token)
        before = RefreshToken.read(current_container()[token_keys], lost.refresh_token)
        assert token == before  # the same one, signed anew
        second = await refreshed(again.refresh_token)
    async with start(key=newer):
        assert await is_good(second.access_token)
        await refreshed(second.refresh_token)
        assert await reason_of(first.refresh_token) == "it is no refresh token of ours"


async def test_what_is_no_refresh_token_asks_no_database(start: Start) -> None:
    odd = ["", "ffr_", "x" * 100_000, "ffr_\0", "ffr_" + "é" * 112, "\ud800" * 116]
    async with start(), session() as db:
        for text in (*odd, "ffr_" + "A" * 112):
            with pytest.raises(InvalidToken):
                await refresh(db, text)
            assert not db.in_transaction()


async def test_other_kinds_are_no_refresh_tokens(start: Start) -> None:
    async with start():
        given = await pair(await ann())
        assert await reason_of(given.access_token) == "it is no refresh token of ours"
        disguised = "ffr_" + given.access_token[4:].ljust(112, "A")
        assert await reason_of(disguised) == "it is no refresh token of ours"
        assert not await is_good(given.refresh_token)
        assert not await is_good("ffa_" + given.refresh_token[4:84])


async def test_a_refresh_after_something_was_read_in_the_same_transaction_says_so(
    start: Start,
) -> None:
    async with start():
        first = await pair(await ann())
        async with session() as db, db.atomic():
            await db.execute(sa.text("SELECT 1"))
            with pytest.raises(TransactionMisuse):
                await refresh(db, first.refresh_token)


ROUTES = """
    from fastapi import APIRouter

    from fastforge.contrib.auth import (
        CurrentIdentity, create_api_key, create_user, issue, refresh, revoke, revoke_api_key,
        revoke_everybody, revoke_user,
    )
    from fastforge.contrib.db import DbSession

    router = APIRouter()

    @router.post("/login")
    async def login(db: DbSession) -> list[str]:
        pair = await issue(db, await create_user(db, "ann@example.org"))
        return [pair.access_token, pair.refresh_token]

    @router.post("/refresh")
    async def again(token: str, db: DbSession) -> list[str]:
        pair = await refresh(db, token)
        return [pair.access_token, pair.refresh_token]

    @router.get("/me")
    async def me(me: CurrentIdentity) -> str:
        return str(me.id)

    @router.post("/end/{what}")
    async def end(what: str, me: CurrentIdentity, db: DbSession) -> None:
        if what == "token":
            await revoke(db, token_id=me.token_id)
        elif what == "user":
            await revoke_user(db, me.id)
        elif what == "key":
            await revoke_api_key(db, me.token_id)
        else:
            await revoke_everybody(db, api_keys=True)

    @router.post("/keys")
    async def key(email: str, db: DbSession) -> str:
        return (await create_api_key(db, await create_user(db, email), "ci")).key
"""


@pytest.fixture
def project(folder: ProjectFolder) -> Project:
    folder.write(
        {
            "shop/settings.py": settings_of(auth=NO_GRACE, apps='"shop.web"'),
            "shop/web/routes.py": ROUTES,
        }
    )
    project = folder.load()
    assert run_command(project, "migrate").exit_code == 0
    return project


async def status(http: httpx.AsyncClient, token: str) -> int:
    return (await http.get("/me", headers={"Authorization": f"Bearer {token}"})).status_code


async def refused(http: httpx.AsyncClient, token: str) -> None:
    """Wait until a token that this process remembers is good no more."""
    with anyio.fail_after(30):
        while await status(http, token) != 401:
            await anyio.sleep(0.02)


async def test_a_theft_stays_found_although_its_request_is_refused(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    """The handler stands in the request's own transaction, which a 401 rolls back."""
    caplog.set_level(logging.WARNING)
    async with client(project) as http:
        access, token = (await http.post("/login")).json()
        newer = (await http.post("/refresh", params={"token": token})).json()
        assert [await status(http, each) for each in (access, newer[0])] == [200, 200]
        stolen = await http.post("/refresh", params={"token": token})
        assert stolen.status_code == 401
        assert stolen.headers["WWW-Authenticate"].startswith("Bearer")
        assert "used" not in stolen.text
        for each in (access, newer[0]):
            await refused(http, each)
        assert (await http.post("/refresh", params={"token": newer[1]})).status_code == 401
    assert "auth.refresh_reused" in caplog.text


@pytest.mark.parametrize("what", ["token", "user", "everybody"])
async def test_what_is_remembered_of_a_login_is_forgotten_with_it(
    project: Project, what: str
) -> None:
    async with client(project) as http:
        access, _ = (await http.post("/login")).json()
        key = (await http.post("/keys", params={"email": "bob@example.org"})).json()
        assert [await status(http, each) for each in (access, key)] == [200, 200]
        own = {"Authorization": f"Bearer {access}"}
        assert (await http.post(f"/end/{what}", headers=own)).status_code == 200
        await refused(http, access)
        if what == "everybody":
            await refused(http, key)
        else:
            assert await status(http, key) == 200
            own = {"Authorization": f"Bearer {key}"}
            assert (await http.post("/end/key", headers=own)).status_code == 200
            await refused(http, key)
