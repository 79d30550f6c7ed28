"""A login: what its tokens allow, and what the database knows of them."""

from __future__ import annotations

import jwt
import pytest
import sqlalchemy as sa

from fastforge.contrib.auth import AuthError, InvalidToken, create_api_key, issue, refresh
from fastforge.contrib.auth.models import TokenFamily
from fastforge.contrib.auth.resources import token_keys
from fastforge.contrib.auth.tokens.pairs import AccessToken, RefreshToken
from fastforge.contrib.db import session
from fastforge.exceptions import SettingsError
from fastforge.lifecycle import current_container

from .conftest import Clock, Start, User, ann, change, delete_ann, is_good, pair, text, verified

FORMS = pytest.mark.parametrize("form", ["opaque", "jwt"])


@FORMS
async def test_an_access_token_says_who_asks_and_what_they_may(start: Start, form: str) -> None:
    async with start(auth=f"access_tokens={form!r}, access_ttl_s=60"):
        user = await ann(scopes=["orders:read"])
        given = await pair(user)
        identity = await verified(given.access_token)
        assert (identity.id, identity.version, identity.kind) == (str(user.id), 1, "token")
        assert identity.scopes == given.scopes == {"orders:read"}
        assert (given.expires_in_s, given.token_type) == (60, "Bearer")
        assert identity.expires_at is not None
        assert not identity.is_superuser
        assert given.access_token.count(".") == (2 if form == "jwt" else 0)
        assert given.access_token not in repr(given)
        assert given.refresh_token not in repr(given)


@FORMS
async def test_scopes_of_a_login_are_at_most_those_of_its_user(start: Start, form: str) -> None:
    async with start(auth=f"access_tokens={form!r}"):
        user = await ann(scopes=["orders:read", "orders:write"])
        given = await pair(user, ["orders:read", "admin"])
        assert given.scopes == {"orders:read"}
        assert (await verified(given.access_token)).scopes == {"orders:read"}


async def test_a_login_with_scopes_of_its_own_makes_nobody_a_superuser(start: Start) -> None:
    async with start():
        user = await ann(is_superuser=True)
        assert (await verified((await pair(user)).access_token)).is_superuser
        identity = await verified((await pair(user, ["orders:read"])).access_token)
        assert (identity.is_superuser, identity.scopes) == (False, {"orders:read"})


@FORMS
async def test_whatever_changes_a_user_ends_what_they_were_given(start: Start, form: str) -> None:
    async with start(auth=f"access_tokens={form!r}"):
        user = await ann()
        first = (await pair(user)).access_token
        await change(scopes=["orders:read"])
        assert not await is_good(first)
        async with session() as db:
            user = (await db.scalars(sa.select(User))).one()
        second = (await pair(user)).access_token
        assert await is_good(second)
        await change(is_active=False)
        assert not await is_good(second)
        await delete_ann()
        assert not await is_good(second)


@FORMS
async def test_an_access_token_ends_and_not_later_because_a_clock_is_set_back(
    start: Start, clock: Clock, form: str
) -> None:
    async with start(auth=f"access_tokens={form!r}, access_ttl_s=60"):
        token = (await pair(await ann())).access_token
        clock.advance(59)
        assert await is_good(token)
        clock.wall_s -= 3600
        assert await is_good(token)
        clock.advance(12)  # what the clocks of two machines may differ is forgiven
        assert not await is_good(token)


async def test_a_change_that_is_not_written_yet_counts_before_the_login(start: Start) -> None:
    async with start():
        await ann()
        async with session() as db, db.atomic():
            user = (await db.scalars(sa.select(User))).one()
            user.scopes = ["orders:read"]
            given = await issue(db, user)
        assert (await verified(given.access_token)).scopes == {"orders:read"}


async def test_nobody_who_is_not_active_or_not_saved_is_given_anything(start: Start) -> None:
    async with start():
        user = await ann(is_active=False)
        with pytest.raises(AuthError, match=r"auth\.E030"):
            await pair(user)
        with pytest.raises(AuthError, match=r"auth\.E030"):
            await pair(User(email="bob@example.org", is_active=True))


async def test_a_text_in_the_place_of_scopes_is_refused_for_its_letters(start: Start) -> None:
    async with start():
        user = await ann()
        async with session() as db:
            with pytest.raises(AuthError, match=r"auth\.E061.*scopes=\['a:read', 'b'\]"):
                await issue(db, user, scopes="a:read b")
            with pytest.raises(AuthError, match=r"auth\.E061"):
                await create_api_key(db, user, "robot", scopes="a:read")
        with pytest.raises(AuthError, match=r"auth\.E061"):
            User(email="bob@example.org", scopes="a:read")


async def test_the_database_has_nothing_that_a_token_could_be_made_of(start: Start) -> None:
    async with start() as container:
        keys = container[token_keys]
        given = await pair(await ann())
        access = AccessToken.read(keys, given.access_token)
        token = RefreshToken.read(keys, given.refresh_token)
        assert access is not None
        assert token is not None
        async with session() as db:
            row = (await db.execute(sa.select(TokenFamily.__table__))).one()
        kept = repr(tuple(row)).encode() + b"".join(v for v in row if isinstance(v, bytes))
        for secret in (access.handle, token.handle, token.secret):
            assert secret not in kept
            assert secret.hex().encode() not in kept


async def test_logins_that_have_ended_are_deleted_by_those_that_begin(
    start: Start, clock: Clock
) -> None:
    async with start(auth="refresh_ttl_s=100"):
        user = await ann()
        for _ in range(3):
            await pair(user)
        clock.advance(101)
        await pair(user)
        async with session() as db:
            assert await db.scalar(sa.select(sa.func.count(TokenFamily.id))) == 1


async def test_others_can_read_a_json_web_token_and_it_says_what_rfc_9068_asks_for(
    start: Start,
) -> None:
    async with start(auth='access_tokens="jwt", jwt_audience="api"'):
        user = await ann()
        token = (await pair(user, [])).access_token
        key = current_container()[token_keys].jwt.newest
        claims = jwt.decode(
            token,
            key,
            algorithms=["HS256"],
            issuer="shop",
            audience="api",
            options={"require": ["exp", "iat", "sub", "jti"], "enforce_minimum_key_length": True},
        )
        assert (claims["sub"], claims["scope"]) == (str(user.id), "")
        assert claims["exp"] - claims["iat"] == 900
        assert jwt.get_unverified_header(token)["typ"] == "at+jwt"


async def test_without_a_secret_key_nothing_is_given_and_nothing_is_accepted(
    start: Start,
) -> None:
    async with start():
        token = (await pair(await ann())).access_token
    async with start(key=""):
        assert not await is_good(token)
        async with session() as db:
            user = (await db.scalars(sa.select(User))).one()
            with pytest.raises(SettingsError, match=r"signing\.E001"):
                await issue(db, user)


@FORMS
async def test_tokens_outlive_the_key_that_signed_them_as_long_as_it_is_a_fallback(
    start: Start, form: str
) -> None:
    auth = f"access_tokens={form!r}"
    async with start(auth=auth):
        token = (await pair(await ann())).access_token
    newer = "a-newer-key-of-these-tests-" * 2
    async with start(key=newer, old=text.__kwdefaults__["key"], auth=auth):
        assert await is_good(token)
    async with start(key=newer, auth=auth):
        assert not await is_good(token)


@FORMS
async def test_whoever_gets_the_id_of_one_who_is_gone_gets_none_of_their_tokens(
    start: Start, form: str
) -> None:
    """SQLite gives the last id again: the tokens of the one would open the account of the other."""
    async with start(auth=f"access_tokens={form!r}"):
        before = await ann()
        given = await pair(before)
        async with session() as db:
            key = (await create_api_key(db, before, "ci")).key
        await delete_ann()
        async with session() as db, db.atomic():
            after = User(id=before.id, email="bob@example.org")
            db.add(after)
        assert (after.id, after.version) == (before.id, before.version)
        assert not await is_good(given.access_token)
        assert not await is_good(key)
        async with session() as db:
            with pytest.raises(InvalidToken):
                await refresh(db, given.refresh_token)
