"""The log of what was forgotten: who writes it, when, and in which order."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from fastforge import Project, Role
from fastforge.contrib.auth import (
    create_user,
    forget_everybody,
    forget_token,
    forget_user,
    set_password,
)
from fastforge.contrib.auth.default_user.models import User
from fastforge.contrib.auth.models import Forgotten
from fastforge.contrib.auth.resources import identities
from fastforge.contrib.db import session
from fastforge.contrib.db.errors import UniqueViolation
from fastforge.lifecycle import Container, use_container
from tests.contrib.auth.conftest import PASSWORD

pytestmark = pytest.mark.anyio


async def lines() -> list[tuple[str | None, str | None]]:
    async with session() as db:
        rows = await db.execute(
            sa.select(Forgotten.user_id, Forgotten.token_id).order_by(Forgotten.id)
        )
        return [(user_id, token_id) for user_id, token_id in rows]


async def test_a_change_of_what_was_given_is_a_line_and_any_other_is_none(
    container: Container,
) -> None:
    async with session() as db:
        async with db.atomic():
            ann = await create_user(db, "ann@example.org", PASSWORD)
        async with db.atomic():
            ann.email = "anna@example.org"
        assert await lines() == []
        async with db.atomic():
            ann.scopes = ["orders:read"]
        async with db.atomic():
            await set_password(ann, "another-kettle-9")
        async with db.atomic():
            ann.is_active = False
            ann.is_superuser = True
        assert await lines() == [("1", None)] * 3
        async with db.atomic():
            await db.delete(ann)
        assert await lines() == [("1", None)] * 4


async def test_what_is_rolled_back_was_never_forgotten(container: Container) -> None:
    async with session() as db:
        with pytest.raises(ZeroDivisionError):
            async with db.atomic():
                await forget_user(db, 7)
                raise ZeroDivisionError
        assert await lines() == []
        async with db.atomic():
            await db.execute(sa.select(User.id))
        assert await lines() == []


async def test_a_savepoint_that_is_undone_takes_no_line_of_its_transaction_with_it(
    container: Container,
) -> None:
    """Whoever is shut out before an insert that may fail is shut out in every process."""
    async with session() as db:
        async with db.atomic():
            ann = await create_user(db, "ann@example.org", PASSWORD)
        async with db.atomic():
            ann.is_active = False
            await db.flush()
            with pytest.raises(UniqueViolation):
                async with db.atomic():
                    await create_user(db, "ann@example.org", PASSWORD)
    assert await lines() == [("1", None)]


async def test_a_user_a_credential_and_everybody_are_told_apart(container: Container) -> None:
    async with session() as db:
        await forget_user(db, 7)  # outside `atomic` it is a transaction of its own
        async with db.atomic():
            await forget_token(db, "t-1")
            async with db.atomic():
                await forget_everybody(db)
            await forget_token(db, "t-1")
    assert await lines() == [("7", None), (None, "t-1"), (None, None)]


async def test_larger_ids_are_committed_later_whatever_transactions_overlap(
    container: Container,
) -> None:
    """Else whoever has read up to a line would have missed one with a smaller id."""
    seen: list[int] = []

    async def forget(number: int) -> None:
        async with session() as db:
            await forget_user(db, number)

    async def read() -> None:
        last = 0
        while len(seen) < 20:
            async with session() as db:
                newer = sa.select(Forgotten.id).where(Forgotten.id > last).order_by(Forgotten.id)
                found = list(await db.scalars(newer))
            seen.extend(found)
            last = max(found, default=last)

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(read())
        for number in range(20):
            group.create_task(forget(number))
    assert len(seen) == len({*seen}) == 20


async def test_two_processes_learn_of_it_with_the_next_that_they_read(
    container: Container, project: Project
) -> None:
    """Two containers of one database: nothing but the table is between them."""
    async with project.running(Role.COMMAND) as other:
        logs = [container[identities].log, other[identities].log]
        for each, log in zip((container, other), logs, strict=True):
            with use_container(each):
                await log.read()
        with use_container(container):
            async with session() as db:
                await forget_user(db, 7)
        assert logs[0].fresh_until == 0  # who wrote it reads it before it believes anything
        assert [log.position for log in logs] == [0, 0]
        with use_container(other):
            await logs[1].read()
        assert logs[1].position == 1
