"""Proofs by mail: good once, for one purpose, for one address, and for a while."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fastforge.contrib.auth import (
    PasswordRefused,
    ProofRefused,
    authenticate,
    change_password,
    create_user,
    email_verification_token,
    find_user,
    password_listener,
    password_reset_token,
    reset_password,
    verify_email,
)
from fastforge.contrib.auth.default_user import User
from fastforge.contrib.auth.errors import PasswordWrong
from fastforge.contrib.auth.library import Argon2Hasher
from fastforge.contrib.auth.proofs.sealed import REGISTRATION, RESET
from fastforge.contrib.db import session, utcnow
from fastforge.exceptions import ComponentError
from fastforge.lifecycle import Container
from fastforge.signing import Signer, signer

from .conftest import PASSWORD
from .test_users import audit

NEW = "walnut-harbour-3"


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """SQLite, but where two who come at once meet: locks are the database's."""
    url: str = request.getfixturevalue(f"{getattr(request, 'param', 'sqlite')}_url")
    return url


BOTH = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)


async def change(**fields: Any) -> None:
    async with session() as db, db.atomic():
        ann = await find_user(db, "ann@example.org", model=User)
        assert ann is not None
        for name, value in fields.items():
            setattr(ann, name, value)


async def use(token: str, password: str = NEW) -> User:
    async with session() as db:
        return await reset_password(db, token, password, model=User)


@pytest.fixture
async def token(container: Container) -> str:
    """What Ann was mailed to choose another password."""
    async with session() as db, db.atomic():
        return password_reset_token(await create_user(db, "ann@example.org", PASSWORD))


async def test_a_reset_gives_another_password_counts_the_version_and_proves_the_address(
    token: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "fastforge.auth")
    ann = await use(token)
    assert ann.version == 2
    assert ann.email_verified_at is not None
    async with session() as db:
        assert await authenticate(db, "ann@example.org", PASSWORD) is None
        assert await authenticate(db, "ann@example.org", NEW) is not None
    assert audit(caplog)[1] == ("auth.password_reset", None)
    assert token not in caplog.text


async def test_a_token_is_good_once_and_costs_no_hash_afterwards(
    token: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await use(token)
    monkeypatch.delattr(Argon2Hasher, "hash")
    with pytest.raises(ProofRefused, match=r"auth\.E053"):
        await use(token, "another-wharf-77")
    assert audit(caplog)[-1] == ("auth.proof_refused", "used_or_void")


@BOTH
async def test_of_many_who_use_a_token_at_once_one_succeeds(token: str) -> None:
    answers = await asyncio.gather(
        *(use(token, f"walnut-harbour-{number}") for number in range(5)), return_exceptions=True
    )
    assert sum(isinstance(each, User) for each in answers) == 1
    assert sum(isinstance(each, ProofRefused) for each in answers) == 4
    async with session() as db:
        ann = await find_user(db, "ann@example.org")
        assert ann is not None
        assert ann.version == 2


@pytest.mark.parametrize(
    "fields",
    [{"is_active": False}, {"scopes": ["orders"]}, {"email": "anna@example.org"}],
    ids=lambda fields: next(iter(fields)),
)
async def test_an_old_token_is_void_after_the_user_has_changed(
    token: str, fields: dict[str, Any]
) -> None:
    await change(**fields)
    with pytest.raises(ProofRefused):
        await use(token)


async def test_a_user_who_is_gone_has_no_token(token: str) -> None:
    async with session() as db, db.atomic():
        await db.delete(await db.get_one(User, 1))
    with pytest.raises(ProofRefused):
        await use(token)


async def test_a_weak_password_leaves_the_token_good(token: str) -> None:
    with pytest.raises(PasswordRefused):
        await use(token, "ann@example")
    assert (await use(token)).version == 2


async def test_a_token_of_another_purpose_or_another_key_opens_nothing(
    token: str, container: Container, caplog: pytest.LogCaptureFixture
) -> None:
    async with session() as db:
        ann = await find_user(db, "ann@example.org")
        assert ann is not None
    others = [
        email_verification_token(ann),
        REGISTRATION.seal("ann@example.org"),
        Signer.of(container.settings, "shop.vouchers").seal(["1", 1, "0" * 32], ttl_s=60),
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        "W1tdXQ.AAAA",
        "",
        "\0",
        "ü.ü",
        "." * 3000,
    ]
    for other in others:
        with pytest.raises(ProofRefused, match=r"auth\.E053"):
            await use(other)
    async with session() as db:
        with pytest.raises(ProofRefused):
            await verify_email(db, token)
    assert {reason for _, reason in audit(caplog)} == {"forged"}


async def test_a_token_ends(
    token: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = signer.now_s()
    monkeypatch.setattr(signer, "now_s", lambda: now + 3601)
    with pytest.raises(ProofRefused, match=r"auth\.E054.*too old"):
        await use(token)
    assert audit(caplog)[-1] == ("auth.proof_refused", "expired")


async def test_a_token_shows_no_address(token: str) -> None:
    payload = RESET.open(token)
    assert payload[:2] == ["1", 1]
    assert "ann" not in str(payload)


async def test_an_address_is_verified_once(
    container: Container, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "fastforge.auth")
    async with session() as db, db.atomic():
        mailed = email_verification_token(await create_user(db, "ann@example.org"))
    async with session() as db:
        ann = await verify_email(db, mailed, model=User)
        assert ann.email_verified_at is not None
    async with session() as db:
        with pytest.raises(ProofRefused):
            await verify_email(db, mailed)
    assert [name for name, _ in audit(caplog)[1:]] == ["auth.email_verified", "auth.proof_refused"]


@pytest.mark.parametrize(
    "fields",
    [{"is_active": False}, {"email_verified_at": utcnow()}, {"email": "anna@example.org"}],
    ids=lambda fields: next(iter(fields)),
)
async def test_a_verification_is_void_after_the_user_has_changed(
    container: Container, fields: dict[str, Any]
) -> None:
    async with session() as db, db.atomic():
        mailed = email_verification_token(await create_user(db, "ann@example.org"))
    await change(**fields)
    async with session() as db:
        with pytest.raises(ProofRefused):
            await verify_email(db, mailed)


async def test_whoever_knows_the_present_password_changes_it(token: str) -> None:
    async with session() as db:
        ann = await find_user(db, "ann@example.org", model=User)
        assert ann is not None
        with pytest.raises(PasswordWrong, match=r"auth\.E055"):
            await change_password(db, ann, current=NEW, new=NEW)
        with pytest.raises(PasswordRefused):
            await change_password(db, ann, current=PASSWORD, new="12345678")
        await change_password(db, ann, current=PASSWORD, new=NEW)
        assert ann.version == 2
    async with session() as db:
        assert await authenticate(db, "ann@example.org", NEW) is not None
    with pytest.raises(ProofRefused):
        await use(token)


@BOTH
async def test_of_two_who_change_a_password_at_once_one_succeeds(token: str) -> None:
    async def one(new: str) -> None:
        async with session() as db:
            ann = await find_user(db, "ann@example.org")
            assert ann is not None
            await change_password(db, ann, current=PASSWORD, new=new)

    answers = await asyncio.gather(one(NEW), one("another-wharf-77"), return_exceptions=True)
    assert sorted(type(each).__name__ for each in answers) == ["NoneType", "PasswordWrong"]


def test_a_listener_has_to_be_an_async_function() -> None:
    with pytest.raises(ComponentError, match=r"auth\.E059.*no async function"):
        password_listener(lambda user: None)  # type: ignore[arg-type, return-value]


async def test_somebody_without_a_password_changes_none(container: Container) -> None:
    async with session() as db, db.atomic():
        await create_user(db, "ann@example.org")
    async with session() as db:
        ann = await find_user(db, "ann@example.org")
        assert ann is not None
        with pytest.raises(PasswordWrong):
            await change_password(db, ann, current=PASSWORD, new=NEW)
