"""One question for all who ask the same at the same time, and a line for all others."""

from __future__ import annotations

import asyncio

import pytest

from fastforge.channels import ChannelUnavailable
from fastforge.channels.carrying.broker import Kept
from fastforge.contrib.db.postgres_channels import asking
from fastforge.contrib.db.postgres_channels.sharing import Shared
from fastforge.test.proxy import Proxy

from .conftest import process


async def test_an_answer_is_shared_by_those_who_asked_before_it_was_asked_for() -> None:
    asked: list[asyncio.Future[int]] = []

    def ask() -> asyncio.Future[int]:
        asked.append(asyncio.get_running_loop().create_future())
        return asked[-1]

    shared = Shared(ask)
    first = asyncio.create_task(shared.get())
    await asyncio.sleep(0.01)
    others = [asyncio.create_task(shared.get()) for _ in range(3)]
    others[0].cancel()
    await asyncio.sleep(0.01)
    assert len(asked) == 1  # what is under way may be too old for the others
    asked[0].set_result(1)
    assert await first == 1
    await asyncio.sleep(0.01)
    asked[1].set_exception(LookupError())
    for each in others[1:]:
        with pytest.raises(LookupError):
            await each
    again = asyncio.create_task(shared.get())
    await asyncio.sleep(0.01)
    asked[2].set_result(3)
    assert (await again, len(asked)) == (3, 3)


async def test_many_who_come_back_at_once_wait_in_line(url: str) -> None:
    kept = Kept(3, 60)
    async with process(url) as one:
        start = await one.broker.recall("a", after=None, epoch="", kept=kept)
        await one.publish(b"x", kept=kept)
        found = await asyncio.gather(
            *(
                one.broker.recall("a", after=start.last_id, epoch=start.epoch, kept=kept)
                for _ in range(500)
            )
        )
        assert all([each.data for each in past.messages] == [b"x"] for past in found)


async def test_those_in_line_are_told_together_that_the_server_is_silent(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "WAIT_S", 0.3)
    with Proxy(url) as proxy:
        async with process(proxy.url) as one:
            await one.publish(b"x")
            proxy.blackhole()
            loop = asyncio.get_running_loop()
            begun = loop.time()
            failures = await asyncio.gather(
                *(one.publish(b"x") for _ in range(200)), return_exceptions=True
            )
            # One after the other they would have waited for 30 seconds.
            assert loop.time() - begun < 15
            assert all(isinstance(each, ChannelUnavailable) for each in failures)
            proxy.heal()
