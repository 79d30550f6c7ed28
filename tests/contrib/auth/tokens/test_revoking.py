"""Ending logins: one, a user's, everybody's; and the keys of programs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from fastforge.contrib.auth import (
    AbstractUser,
    AuthError,
    NewApiKey,
    create_api_key,
    create_user,
    revoke,
    revoke_api_key,
    revoke_everybody,
    revoke_user,
)
from fastforge.contrib.auth.errors import KeyRefused
from fastforge.contrib.auth.resources import token_keys
from fastforge.contrib.auth.tokens.jwts import written
from fastforge.contrib.db import session

from .conftest import KEY, Clock, Start, ann, change, is_good, pair, verified


async def bob() -> AbstractUser:
    async with session() as db, db.atomic():
        return await create_user(db, "bob@example.org")


async def key(user: AbstractUser, name: str = "ci", **options: Any) -> NewApiKey:
    async with session() as db:
        return await create_api_key(db, user, name, **options)


@pytest.mark.parametrize("form", ["opaque", "jwt"])
async def test_a_login_is_ended_by_its_name_and_by_each_of_its_tokens(
    start: Start, form: str
) -> None:
    async with start(auth=f"access_tokens={form!r}"):
        user = await ann()
        other = await pair(user)
        first, second, third = [await pair(user) for _ in range(3)]
        async with session() as db:
            assert await revoke(db, token_id=(await verified(first.access_token)).token_id)
            assert await revoke(db, second.refresh_token)
            assert await revoke(db, third.access_token)
            assert not await revoke(db, third.access_token)
        for each in (first, second, third):
            assert not await is_good(each.access_token)
        assert await is_good(other.access_token)


async def test_what_names_no_login_ends_none(start: Start) -> None:
    async with start():
        await pair(await ann())
        async with session() as db:
            for odd in ("", "x", "ffa_", "é" * 84, "\0", "\ud800", "x" * 10_000, "a.b.c"):
                assert not await revoke(db, odd)
                assert not await revoke(db, token_id=odd)
                assert not await revoke_api_key(db, odd)


async def test_what_our_own_key_has_signed_and_is_none_ends_no_login(start: Start) -> None:
    async with start() as container:
        keys = container[token_keys]
        async with session() as db:
            for claims in ({}, {"sid": 7}, {"sid": "é"}):
                assert not await revoke(db, written(keys.jwt, claims))


async def test_the_name_of_a_login_is_no_token(start: Start) -> None:
    """Who reads it in a log, and sends it to a route that takes tokens, ends nobody's login."""
    async with start():
        token = (await pair(await ann())).access_token
        name = (await verified(token)).token_id
        async with session() as db:
            assert not await revoke(db, name)
        assert await is_good(token)
        assert not await is_good(name)


async def test_all_logins_of_a_user_end_and_nobody_elses(start: Start) -> None:
    async with start():
        user, other = await ann(), await bob()
        mine, its = [await pair(user), await pair(user)], await pair(other)
        program = await key(user)
        async with session() as db:
            assert await revoke_user(db, user.id) == 2
            assert await revoke_user(db, user.id) == 0
        assert [await is_good(each.access_token) for each in mine] == [False, False]
        assert await is_good(its.access_token)
        assert await is_good(program.key)
        async with session() as db:
            await revoke_user(db, user.id, api_keys=True)
        assert not await is_good(program.key)


async def test_everybodys_logins_end(start: Start) -> None:
    async with start():
        user, other = await ann(), await bob()
        tokens = [(await pair(user)).access_token, (await pair(other)).access_token]
        program = await key(other)
        async with session() as db:
            assert await revoke_everybody(db) == 2
        assert [await is_good(each) for each in tokens] == [False, False]
        assert await is_good(program.key)
        async with session() as db:
            await revoke_everybody(db, api_keys=True)
        assert not await is_good(program.key)


async def test_a_revocation_that_rolls_back_has_ended_nothing(start: Start) -> None:
    async with start():
        token = (await pair(await ann())).access_token
        async with session() as db:
            with pytest.raises(RuntimeError):
                async with db.atomic():
                    assert await revoke_everybody(db) == 1
                    raise RuntimeError
        assert await is_good(token)


async def test_a_key_acts_for_its_user_and_never_allows_more_than_they_may(start: Start) -> None:
    async with start():
        user = await ann(scopes=["a", "b"])
        made = await key(user, scopes=["b", "c"])
        found = await verified(made.key)
        assert (found.id, found.kind, found.token_id) == (str(user.id), "api_key", made.id)
        assert (found.scopes, found.expires_at) == ({"b"}, None)
        assert made.key not in repr(made)
        await change(scopes=["a", "c"])
        assert (await verified(made.key)).scopes == {"c"}
        await change(is_superuser=True)
        found = await verified(made.key)
        assert (found.scopes, found.is_superuser) == ({"b", "c"}, False)


async def test_a_key_outlives_another_password_and_not_its_user(start: Start) -> None:
    async with start():
        made = await key(await ann())
        await change(password_hash=None)
        await change(scopes=["a"])
        assert (await verified(made.key)).version > 1
        await change(is_active=False)
        assert not await is_good(made.key)


async def test_a_key_ends_when_it_was_said_to(start: Start, clock: Clock) -> None:
    async with start():
        made = await key(await ann(), expires_at=datetime.now(UTC) + timedelta(seconds=60))
        assert (await verified(made.key)).expires_at is not None
        clock.advance(61)
        assert not await is_good(made.key)


async def test_a_key_is_revoked_by_its_owner_and_by_nobody_else(start: Start) -> None:
    async with start():
        user, other = await ann(), await bob()
        made = await key(user)
        async with session() as db:
            assert not await revoke_api_key(db, made.id, of=other.id)
            assert await is_good(made.key)
            assert await revoke_api_key(db, made.id, of=user.id)
            assert not await revoke_api_key(db, made.id)
        assert not await is_good(made.key)


@pytest.mark.parametrize("name", ["", "x" * 101, "a\0b", "a\nb"])
async def test_a_key_has_a_name(start: Start, name: str) -> None:
    async with start():
        user = await ann()
        with pytest.raises(KeyRefused, match=r"auth\.E031"):
            await key(user, name)


@pytest.mark.parametrize(
    "expires_at",
    [
        datetime.now(UTC) - timedelta(seconds=1),
        datetime(2090, 1, 1),  # noqa: DTZ001
        datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-12))),
    ],
)
async def test_a_key_ends_at_a_time_that_is_to_come(start: Start, expires_at: datetime) -> None:
    """A past one made a key that was good for nothing, and the others a 500."""
    async with start():
        user = await ann()
        with pytest.raises(KeyRefused, match=r"auth\.E039"):
            await key(user, expires_at=expires_at)


async def test_nobody_who_is_not_active_is_given_a_key(start: Start) -> None:
    async with start():
        user = await ann(is_active=False)
        with pytest.raises(AuthError, match=r"auth\.E030"):
            await key(user)


async def test_a_key_outlives_the_secret_key_only_as_a_fallback(start: Start) -> None:
    newer = "a-newer-key-of-these-tests-" * 2
    async with start():
        made = await key(await ann())
    async with start(key=newer, old=KEY):
        assert await is_good(made.key)
    async with start(key=newer):
        assert not await is_good(made.key)
