"""How attempts ended is written in batches, again and again while the backend is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from fastforge.tasks import (
    BackendAway,
    Claim,
    Envelope,
    MemoryBackend,
    Outcome,
    Settlement,
    Verdict,
)
from fastforge.tasks.settling import Settler
from fastforge.tasks.trouble import Trouble
from tests.processes import wait_until_async

AWAY = BackendAway("nobody answers", code="jobs.E001")


class Slow(MemoryBackend):
    """Notes the batches that it is given; each waits for the gate, and may be refused."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[int | str]] = []
        self.gate = asyncio.Event()
        self.refusal: dict[int | str, Exception] = {}

    async def settle(self, worker_id: str, settlements: Sequence[Settlement], /) -> None:
        keys = [settlement.claim.key for settlement in settlements]
        self.batches.append(keys)
        await self.gate.wait()
        for key in keys:
            if key in self.refusal:
                raise self.refusal[key]


def ended(key: int) -> Settlement:
    claim = Claim(key=key, attempt=1, envelope=Envelope(task="a", payload={}))
    return Settlement(claim=claim, outcome=Outcome(verdict=Verdict.SUCCEEDED))


@asynccontextmanager
async def settling(
    backend: Slow, told: list[int | str], trouble: Trouble | None = None
) -> AsyncIterator[Settler]:
    settler = Settler(
        backend,
        "w1",
        Trouble() if trouble is None else trouble,
        lambda settled: told.extend(each.claim.key for each in settled),
    )
    running = asyncio.create_task(settler.run())
    yield settler
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_what_ends_while_a_batch_is_written_is_the_next_one() -> None:
    backend, told = Slow(), []
    async with settling(backend, told) as settler:
        settler.add(ended(1))
        await wait_until_async(lambda: backend.batches == [[1]])
        for key in (2, 3, 4):
            settler.add(ended(key))
        backend.gate.set()
        await settler.wait_until_idle()
    assert backend.batches == [[1], [2, 3, 4]]
    assert told == [1, 2, 3, 4]


async def test_nothing_is_told_before_it_is_recorded() -> None:
    backend, told = Slow(), []
    backend.gate.set()
    backend.refusal[1] = AWAY
    async with settling(backend, told) as settler:
        settler.add(ended(1))
        await wait_until_async(lambda: len(backend.batches) == 2)
        assert (told, len(settler)) == ([], 1)
        backend.refusal.clear()
        await settler.wait_until_idle()
    assert told == [1]


async def test_what_cannot_be_recorded_is_given_up_and_not_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    backend, told = Slow(), []
    backend.gate.set()
    backend.refusal[2] = ValueError("this row is poison")
    async with settling(backend, told) as settler:
        for key in (1, 2, 3):
            settler.add(ended(key))
        await settler.wait_until_idle()
        assert len(settler) == 0
    assert sorted(told) == [1, 3]
    assert caplog.text.count("cannot be recorded") == 1


async def test_trouble_ends_with_what_is_given_up_so_that_the_worker_claims_again() -> None:
    backend, trouble = Slow(), Trouble()
    backend.gate.set()
    backend.refusal[1] = AWAY
    async with settling(backend, [], trouble) as settler:
        settler.add(ended(1))
        await wait_until_async(lambda: "settle" in trouble)
        backend.refusal[1] = ValueError("this row is poison")
        await settler.wait_until_idle()
    assert not trouble


async def test_what_waits_longer_than_a_lease_is_held_no_more() -> None:
    """Its job is due elsewhere by then, and a renewal would only hold it up."""
    backend = Slow()
    async with settling(backend, []) as settler:
        settler.add(ended(1))
        assert [claim.key for claim in settler.pending(younger_than_s=60)] == [1]
        assert list(settler.pending(younger_than_s=0)) == []
        backend.gate.set()
