"""Jobs and results of a megabyte go to Redis some at a time."""

from __future__ import annotations

from fastforge.tasks import Envelope, JobQuery, Outcome, Verdict

from .doing import claim, settle
from .world import ArqWorld

COUNT = 20
TEXT = "x" * 1_000_000
LEAST_CALLS = 5


async def script_calls(world: ArqWorld) -> int:
    found = await world.client.info("commandstats")
    return int(found["cmdstat_evalsha"]["calls"])


async def test_big_jobs_and_results_are_sent_some_at_a_time(world: ArqWorld) -> None:
    """Else one call would take longer than a client waits for, and be sent again each time."""
    await world.backend.give_back_strays("w1", ())
    begun = await script_calls(world)
    payload = {"text": TEXT}
    await world.backend.enqueue([Envelope(task="big", payload=payload) for _ in range(COUNT)])
    kept = await script_calls(world)
    assert kept - begun >= LEAST_CALLS
    waiting = await world.backend.desk.find(JobQuery())
    assert [len(each.payload["text"]) for each in waiting] == [len(TEXT)] * COUNT
    kept, looked = await script_calls(world), kept
    assert kept - looked >= LEAST_CALLS
    found = await claim(world.backend)
    assert [len(each.envelope.payload["text"]) for each in found] == [len(TEXT)] * COUNT
    await settle(world.backend, found, Outcome(verdict=Verdict.SUCCEEDED, result=TEXT))
    assert await script_calls(world) - kept > LEAST_CALLS
    (stats,) = await world.backend.desk.stats()
    assert (stats.done, stats.running, stats.ready) == (COUNT, 0, 0)
