"""The user model: one login however it is typed, a version that counts, a hash nobody shows."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from fastapi.encoders import jsonable_encoder
from pydantic import SecretStr
from sqlalchemy.exc import IntegrityError

from fastforge.contrib.auth import create_user, find_user
from fastforge.contrib.auth.default_user import User
from fastforge.contrib.auth.model import folded
from fastforge.contrib.db import session
from fastforge.lifecycle import Container

from .conftest import PASSWORD


@pytest.mark.parametrize(
    "typed", ["ann@example.org", "ANN@Example.ORG", "  ann@example.org ", "\uff41nn@example.org"]
)
async def test_a_user_is_found_however_the_login_is_typed(container: Container, typed: str) -> None:
    async with session() as db:
        async with db.atomic():
            made = await create_user(db, "Ann@Example.org", PASSWORD)
        assert made.email == "ann@example.org"
        found = await find_user(db, typed)
        assert found is made


async def test_an_address_in_other_letters_is_no_second_user(container: Container) -> None:
    async with session() as db:
        async with db.atomic():
            await create_user(db, "ann@example.org")
        with pytest.raises(IntegrityError):
            async with db.atomic():
                await create_user(db, "ANN@EXAMPLE.ORG")


async def test_the_database_refuses_capitals_of_raw_sql_as_well(container: Container) -> None:
    async with session() as db:
        with pytest.raises(IntegrityError, match="email_folded"):
            async with db.atomic():
                await db.execute(
                    sa.text(
                        "INSERT INTO auth_user (email, scopes, created_at)"
                        " VALUES ('ANN@EXAMPLE.ORG', '[]', '2026-01-01')"
                    )
                )


@pytest.mark.parametrize("text", ["İ@x.y", "ΟΔΟΣ@x.y", "ﬁ@x.y", "Å@x.y", "ẞ@x.y"])
def test_folding_twice_is_folding_once(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("is_active", False),
        ("is_superuser", True),
        ("scopes", ["orders:read"]),
        ("password_hash", SecretStr("another")),
    ],
)
async def test_a_change_that_voids_what_was_given_makes_another_version(
    container: Container, name: str, value: object
) -> None:
    async with session() as db:
        async with db.atomic():
            ann = await create_user(db, "ann@example.org", PASSWORD)
        assert ann.version == 1
        async with db.atomic():
            setattr(ann, name, value)
        assert ann.version == 2


async def test_other_changes_leave_the_version(container: Container) -> None:
    async with session() as db:
        async with db.atomic():
            ann = await create_user(db, "ann@example.org", scopes=["a"])
        async with db.atomic():
            ann.email = "ann@example.com"
            ann.scopes = ["a"]
        assert (ann.version, ann.email) == (1, "ann@example.com")


async def test_two_changes_at_once_count_twice(container: Container) -> None:
    """A version that both compute from what they have read would be one for two states."""
    async with session() as db:
        async with db.atomic():
            ann = await create_user(db, "ann@example.org")
        async with db.atomic():
            # By somebody else: the object still has the number that it had.
            await db.execute(sa.text("UPDATE auth_user SET version = version + 1"))
            assert ann.version == 1
            ann.is_active = False
        assert ann.version == 3


async def test_nothing_shows_the_hash_of_a_password(container: Container) -> None:
    async with session() as db, db.atomic():
        ann = await create_user(db, "ann@example.org", PASSWORD)
        hashed = ann.password_hash
    assert hashed is not None
    secret = hashed.get_secret_value()
    assert secret.startswith("$argon2id$")
    shown = f"{ann!r} {jsonable_encoder(ann)} {vars(ann)}"
    assert secret not in shown
    assert repr(ann) == f"<User {ann.id}>"
    assert repr(User()) == "<User unsaved>"


async def test_the_ready_model_gives_no_id_a_second_time(container: Container) -> None:
    """Sessions, logs and rows of others name a user by it."""
    async with session() as db:
        async with db.atomic():
            gone = await create_user(db, "ann@example.org")
            await db.flush()
            key = gone.id
            await db.delete(gone)
        async with db.atomic():
            assert (await create_user(db, "bob@example.org")).id > key
