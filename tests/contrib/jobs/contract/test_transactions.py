"""Transactions: what is enqueued inside `atomic` is a part of it."""

from __future__ import annotations

import pytest

from fastforge.tasks import NewBatch
from fastforge.tasks.envelope import new_uid
from fastforge.tasks.limits import UniqueKey

from .world import SUCCEEDED, World, envelope

KEY = UniqueKey(key="k")


async def test_nothing_is_left_of_a_transaction_that_rolls_back(world: World) -> None:
    batch = new_uid()
    with pytest.raises(KeyError):
        async with world.atomic():
            await world.send(envelope("plain"), envelope("unique", unique=KEY))
            await world.send(
                envelope("part", batch=batch), batch=NewBatch(uid=batch, then=envelope("then"))
            )
            raise KeyError
    assert await world.jobs() == []
    assert await world.desk.batch(batch) is None
    (again,) = await world.send(envelope("again", unique=KEY))
    assert again.is_new


async def test_all_is_there_when_it_commits(world: World) -> None:
    batch = new_uid()
    async with world.atomic():
        await world.send(envelope("plain"), envelope("unique", unique=KEY))
        await world.send(
            envelope("part", batch=batch), batch=NewBatch(uid=batch, then=envelope("then"))
        )
    claims = await world.claim()
    assert [claim.envelope.task for claim in claims] == ["plain", "unique", "part"]
    (again,) = await world.send(envelope("again", unique=KEY))
    assert not again.is_new
    await world.settle(SUCCEEDED, *claims)
    assert await world.names() == ["then"]


async def test_what_a_savepoint_enqueued_is_gone_with_it(world: World) -> None:
    async with world.atomic() as db:
        await world.enqueue("before")
        with pytest.raises(KeyError):
            async with db.atomic():
                await world.send(envelope("undone", unique=KEY))
                raise KeyError
        async with db.atomic():
            await world.send(envelope("kept", unique=KEY))
    assert await world.names() == ["before", "kept"]


async def test_an_empty_batch_waits_for_its_commit_too(world: World) -> None:
    with pytest.raises(KeyError):
        async with world.atomic():
            await world.send(batch=NewBatch(uid=new_uid(), then=envelope("then")))
            raise KeyError
    assert await world.jobs() == []


async def test_without_a_transaction_a_job_is_there_at_once(world: World) -> None:
    await world.enqueue("a")
    assert await world.names() == ["a"]
