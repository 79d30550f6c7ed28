"""Logging in: one hash for whoever it is, and what it leaves behind."""

from __future__ import annotations

import logging
from typing import Any, get_args

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from fastforge.contrib.auth import (
    AbstractUser,
    AuthError,
    PasswordRefused,
    authenticate,
    create_user,
    events,
    find_user,
    set_password,
    user_model,
)
from fastforge.contrib.auth.default_user import User
from fastforge.contrib.auth.errors import LoginRefused
from fastforge.contrib.auth.events import AuthEvent, Reason
from fastforge.contrib.auth.hashing import Hashing, Verdict
from fastforge.contrib.auth.library import Argon2Hasher
from fastforge.contrib.auth.passwords import PasswordHashing
from fastforge.contrib.db import database_gauges, session
from fastforge.lifecycle import Container
from tests.docs.markdown import DOCS, Page

from .conftest import PASSWORD


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What each password was compared with, and None for one that was hashed for nothing."""
    found: list[str | None] = []
    kind: Any = Argon2Hasher
    check, make = kind.verify, kind.hash

    def counted_verify(self: Any, password: str, stored: str) -> bool:
        found.append(stored)
        result: bool = check(self, password, stored)
        return result

    def counted_hash(self: Any, password: str) -> str:
        found.append(None)
        made: str = make(self, password)
        return made

    monkeypatch.setattr(kind, "verify", counted_verify)
    monkeypatch.setattr(kind, "hash", counted_hash)
    return found


async def make(
    login: str = "ann@example.org", password: str | None = PASSWORD, **fields: Any
) -> None:
    async with session() as db, db.atomic():
        await create_user(db, login, password, **fields)


def audit(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str | None]]:
    lines = (each for each in caplog.records if each.name == "fastforge.auth")
    return [(each.getMessage(), getattr(each, "reason", None)) for each in lines]


async def test_a_login_gives_the_user_and_is_written_down(
    container: Container, hashes: list[str | None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fastforge.auth")
    await make()
    hashes.clear()
    async with session() as db:
        ann = await authenticate(db, "Ann@Example.org", PASSWORD)
        assert ann is not None
        assert ann.last_login_at is not None
    async with session() as db:
        again = await find_user(db, "ann@example.org")
        assert again is not None
        assert (again.last_login_at, again.version) == (ann.last_login_at, 1)
    assert len(hashes) == 1
    assert audit(caplog) == [("auth.user_created", None), ("auth.login", None)]


@pytest.mark.parametrize(
    ("login", "password", "fields", "reason"),
    [
        ("bob@example.org", PASSWORD, {}, "unknown"),
        ("x" * 400, PASSWORD, {}, "unknown"),
        ("ann\0@example.org", PASSWORD, {}, "unknown"),
        ("ann@example.org", "plum-kettle-8", {}, "wrong_password"),
        ("ann@example.org", PASSWORD, {"is_active": False}, "inactive"),
        ("ann@example.org", PASSWORD, {"password": None}, "no_password"),
    ],
)
async def test_whoever_is_refused_costs_exactly_one_hash(
    container: Container,
    hashes: list[str | None],
    caplog: pytest.LogCaptureFixture,
    login: str,
    password: str,
    fields: dict[str, Any],
    reason: str,
) -> None:
    await make(**fields)
    hashes.clear()
    async with session() as db:
        assert await authenticate(db, login, password) is None
    assert len(hashes) == 1
    assert audit(caplog)[-1:] == [("auth.login_failed", reason)]
    assert password not in caplog.text
    assert login not in caplog.text


async def test_what_can_be_no_password_costs_nothing(
    container: Container, hashes: list[str | None], caplog: pytest.LogCaptureFixture
) -> None:
    await make()
    hashes.clear()
    async with session() as db:
        assert await authenticate(db, "ann@example.org", "x" * 2000) is None
    assert hashes == []
    assert audit(caplog)[-1:] == [("auth.login_failed", "unusable_password")]


async def test_an_old_hash_is_replaced_at_the_login_and_the_version_stays(
    container: Container,
) -> None:
    old = Hashing(memory_kib=8, iterations=1).hash(PASSWORD)
    await make(password=None)
    async with session() as db, db.atomic():
        await db.execute(sa.update(User).values(password_hash=SecretStr(old)))
    async with session() as db:
        ann = await authenticate(db, "ann@example.org", PASSWORD)
        assert ann is not None
        await db.refresh(ann)
        assert ann.password_hash is not None
        assert "m=64,t=1" in ann.password_hash.get_secret_value()
        assert ann.version == 1
        assert await authenticate(db, "ann@example.org", PASSWORD) is ann


async def test_who_is_deactivated_while_the_hash_is_worked_out_is_not_let_in(
    container: Container, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await make()
    verify = PasswordHashing.verify

    async def meanwhile(self: Any, password: str, stored: SecretStr | None) -> Verdict:
        async with session() as other, other.atomic():
            ann = await find_user(other, "ann@example.org")
            assert ann is not None
            ann.is_active = False
        return await verify(self, password, stored)

    monkeypatch.setattr(PasswordHashing, "verify", meanwhile)
    async with session() as db:
        assert await authenticate(db, "ann@example.org", PASSWORD) is None
    assert audit(caplog)[-1:] == [("auth.login_failed", "changed_meanwhile")]


async def test_a_login_holds_no_connection_while_the_hash_is_worked_out(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make()
    verify, seen = PasswordHashing.verify, []

    async def watched(self: Any, password: str, stored: SecretStr | None) -> Verdict:
        seen.append([each.checked_out for each in database_gauges().values()])
        return await verify(self, password, stored)

    monkeypatch.setattr(PasswordHashing, "verify", watched)
    async with session() as db:
        assert await authenticate(db, "ann@example.org", PASSWORD) is not None
    assert seen == [[0]]


async def test_a_registration_holds_no_connection_while_the_hash_is_worked_out(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, seen = PasswordHashing.hash, []

    async def watched(self: Any, password: str) -> SecretStr:
        seen.append([each.checked_out for each in database_gauges().values()])
        return await work(self, password)

    monkeypatch.setattr(PasswordHashing, "hash", watched)
    await make()
    assert seen == [[0]]


async def test_another_password_makes_another_version_and_ends_the_old_one(
    container: Container, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fastforge.auth")
    await make()
    async with session() as db:
        ann = await find_user(db, "ann@example.org")
        assert ann is not None
        async with db.atomic():
            await set_password(ann, "kettle-plum-10")
        assert ann.version == 2
        assert await authenticate(db, "ann@example.org", PASSWORD) is None
        assert await authenticate(db, "ann@example.org", "kettle-plum-10") is ann
    assert ("auth.password_changed", None) in audit(caplog)


async def test_a_weak_password_makes_no_user(container: Container) -> None:
    async with session() as db:
        with pytest.raises(PasswordRefused) as caught:
            async with db.atomic():
                await create_user(db, "ann@example.org", "12345")
        assert {each.code for each in caught.value.weaknesses} == {
            "password_too_short",
            "password_numeric",
            "password_common",
        }
        assert "12345" not in str(caught.value)
        assert await find_user(db, "ann@example.org") is None


@pytest.mark.parametrize(
    "login",
    [
        *("", "ann", "@example.org", "ann@", "a b@x.y", "a\0b@x.y"),
        "a" * 251 + "@x.y",
        "\ufb03" * 90 + "@x.y",  # one letter that stands for three: it gets too long by folding
    ],
)
async def test_what_is_no_address_makes_no_user(container: Container, login: str) -> None:
    async with session() as db:
        with pytest.raises(LoginRefused, match=r"auth\.E014"):
            async with db.atomic():
                await create_user(db, login, PASSWORD)


async def test_the_ready_model_is_the_one_unless_the_project_says_its_own(
    container: Container,
) -> None:
    assert user_model() is User


def test_the_reference_has_every_audit_event() -> None:
    declared = {
        name: each.name for name, each in vars(events).items() if isinstance(each, AuthEvent)
    }
    page = Page(DOCS / "reference" / "events.md")
    rows = {row[0].strip("`"): row[1].strip("`") for row in page.heading("Audit").rows()}
    ours = {name: each for name, each in rows.items() if each.startswith("auth.")}
    assert ours == declared
    reasons = " ".join(row[3] for row in page.heading("Audit").rows())
    assert all(f"`{reason}`" in reasons for reason in get_args(Reason))


async def test_a_model_that_is_not_the_projects_is_an_error(container: Container) -> None:
    class Stranger(AbstractUser):
        __abstract__ = True

    async with session() as db:
        with pytest.raises(AuthError, match=r"auth\.E052.*no .*Stranger"):
            await find_user(db, "ann@example.org", model=Stranger)
