"""A job seen by whoever enqueued it: its state, its result, its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import BaseModel

from fastforge.exceptions import TaskError
from fastforge.lifecycle import use_container
from fastforge.tasks import (
    AttemptError,
    Batch,
    Claim,
    ClaimRequest,
    JobCancelled,
    JobFailed,
    JobHandle,
    JobState,
    JobUnfinished,
    JobUnknown,
    MemoryBackend,
    Outcome,
    Progress,
    Settlement,
    Verdict,
    enqueue_many,
    task,
    waiting,
)


class Size(BaseModel):
    width: int
    height: int


@task
async def measure(path: str) -> Size:
    return Size(width=len(path), height=1)


@task
def resize(path: str) -> int:
    return len(path)


@pytest.fixture(autouse=True)
async def project(run_project: Any, backend: MemoryBackend) -> AsyncIterator[None]:
    async with run_project(measure, resize, backend=backend) as container:
        with use_container(container):
            yield


async def begin(backend: MemoryBackend) -> Claim:
    """Let a worker take the job that is due."""
    request = ClaimRequest(worker_id="w", queues=("default",), limit=1, lease_s=30)
    (claim,) = (await backend.claim(request)).claims
    return claim


async def end(backend: MemoryBackend, verdict: Verdict, **outcome: Any) -> None:
    claim = await begin(backend)
    settlement = Settlement(claim=claim, outcome=Outcome(verdict=verdict, **outcome))
    await backend.settle("w", [settlement])


def error(message: str) -> AttemptError:
    return AttemptError.of(ValueError(message), attempt=1)


# --- what a handle tells -------------------------------------------------------------------------


async def test_the_state_follows_the_job(backend: MemoryBackend) -> None:
    handle = await measure.enqueue("a.png")
    assert await handle.state() is JobState.READY
    await begin(backend)
    assert await handle.state() is JobState.RUNNING
    record = await handle.record()
    assert (record.uid, record.task, record.attempt) == (handle.uid, measure.name, 1)


async def test_the_result_is_what_the_annotation_says(backend: MemoryBackend) -> None:
    handle = await measure.enqueue("a.png")
    await end(backend, Verdict.SUCCEEDED, result={"width": 5, "height": 1})
    assert await handle.result() == await handle.wait() == Size(width=5, height=1)


async def test_a_handle_is_made_anew_from_the_id_alone(backend: MemoryBackend) -> None:
    uid = (await resize.enqueue("a.png")).uid
    await end(backend, Verdict.SUCCEEDED, result=5)
    assert await resize.job(uid).result() == 5
    assert await resize.job(uid.upper()).result() == 5


async def test_progress_is_what_the_job_said_last(backend: MemoryBackend) -> None:
    handle = await measure.enqueue("a.png")
    assert await handle.progress() is None
    claim = await begin(backend)
    await backend.attend("w", {claim: Progress(done=3, total=9)})
    assert await handle.progress() == Progress(done=3, total=9)


async def test_without_an_end_there_is_no_result() -> None:
    handle = await measure.enqueue("a.png")
    with pytest.raises(JobUnfinished, match=r"tasks.E031.*has not ended: it is READY, due at"):
        await handle.result()


async def test_a_dead_job_gives_what_ended_it(backend: MemoryBackend) -> None:
    handle = await measure.enqueue("a.png")
    await end(backend, Verdict.DEAD, error=error("no such picture"))
    for ask in (handle.result, handle.wait):
        with pytest.raises(JobFailed, match=r"tasks.E032.*ValueError: no such picture") as caught:
            await ask()
        assert caught.value.error is not None
        assert caught.value.error.message == "no such picture"
        assert caught.value.errors == (caught.value.error,)


async def test_a_cancelled_job_has_no_result() -> None:
    handle = await measure.enqueue("a.png")
    await handle.cancel()
    for ask in (handle.result, handle.wait):
        with pytest.raises(JobCancelled, match="tasks.E033"):
            await ask()


async def test_a_result_of_other_code_is_told_apart(backend: MemoryBackend) -> None:
    handle = await measure.enqueue("a.png")
    await end(backend, Verdict.SUCCEEDED, result="5x1")
    with pytest.raises(TaskError, match=r"tasks.E028.*does not fit") as caught:
        await handle.result()
    assert "\n" not in str(caught.value)


UNKNOWN = "5cfe0a1e-27f7-4b3c-8f3e-0c1f5f7b0f6d"


@pytest.mark.parametrize("uid", [UNKNOWN, "", "seven", "'; DROP TABLE jobs_job"])
@pytest.mark.parametrize(
    "verb", ["state", "record", "result", "wait", "progress", "cancel", "retry"]
)
async def test_a_job_that_is_not_there_is_an_error(uid: str, verb: str) -> None:
    with pytest.raises(JobUnknown, match="tasks.E030"):
        await getattr(measure.job(uid), verb)()


async def test_a_job_of_another_task_is_not_there() -> None:
    handle = await measure.enqueue("a.png")
    for ask in (resize.job(handle.uid).result, resize.job(handle.uid).cancel):
        with pytest.raises(JobUnknown, match=resize.name):
            await ask()
    assert await handle.state() is JobState.READY


async def test_errors_are_what_their_names_promise() -> None:
    assert issubclass(JobUnfinished, TimeoutError)
    assert issubclass(JobUnknown, LookupError)


# --- what is done with a job ---------------------------------------------------------------------


async def test_cancelling_says_whether_there_was_something_to_cancel(
    backend: MemoryBackend,
) -> None:
    handle = await measure.enqueue("a.png")
    assert await handle.cancel() is True
    assert await handle.state() is JobState.CANCELLED
    assert await handle.cancel() is False
    done = await measure.enqueue("b.png")
    await end(backend, Verdict.SUCCEEDED)
    assert await done.cancel() is False
    assert await done.state() is JobState.DONE


async def test_a_running_job_is_asked_to_end(backend: MemoryBackend) -> None:
    handle = await measure.enqueue("a.png")
    await begin(backend)
    assert await handle.cancel() is True
    assert list(await backend.attend("w", {})) == [handle.uid]


async def test_a_dead_job_runs_again(backend: MemoryBackend) -> None:
    handle = await measure.enqueue("a.png")
    assert await handle.retry() is False
    await end(backend, Verdict.DEAD, error=error("late"))
    assert await handle.retry() is True
    assert await handle.state() is JobState.READY


# --- waiting -------------------------------------------------------------------------------------


async def test_waiting_ends_with_the_job(backend: MemoryBackend) -> None:
    handle = await resize.enqueue("a.png")
    waiter = asyncio.create_task(handle.wait(timeout_s=30))
    await asyncio.sleep(0)
    await end(backend, Verdict.SUCCEEDED, result=5)
    assert await waiter == 5


async def test_waiting_has_an_end_and_names_the_state(backend: MemoryBackend) -> None:
    handle = await measure.enqueue("a.png")
    await end(backend, Verdict.RETRY, delay_s=60, error=error("late"))
    with pytest.raises(
        TimeoutError, match=r"tasks.E031.*after 0.01 s: it is READY.*attempt 1 failed: .*late"
    ):
        await handle.wait(timeout_s=0.01)


async def test_it_looks_often_at_first_and_rarely_later(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(waiting.asyncio, "sleep", sleep)
    sights = iter(range(40))

    async def look() -> int:
        return next(sights)

    assert await waiting.look_until(look, lambda seen: seen == 39, timeout_s=None) == 39
    assert slept[0] == 0.01
    assert slept == sorted(slept)
    assert slept[-1] == 0.5


# --- batches -------------------------------------------------------------------------------------


async def test_a_batch_ends_when_all_of_it_has_ended(backend: MemoryBackend) -> None:
    batch = await enqueue_many([resize.call("a"), resize.call("b")], then=measure.call("c"))
    await end(backend, Verdict.SUCCEEDED, result=1)
    with pytest.raises(JobUnfinished, match=r"tasks.E031.*1 of its 2 jobs"):
        await batch.wait(timeout_s=0)
    await end(backend, Verdict.DEAD, error=error("broken"))
    record = await batch.wait()
    assert (record.total, record.pending, record.failed) == (2, 0, 1)
    assert await batch.handles[0].result() == 1
    after = [job.envelope.task for job in backend.jobs.values()][2:]
    assert after == [measure.name]


async def test_a_batch_that_is_not_there_is_an_error() -> None:
    handle: JobHandle[int] = await resize.enqueue("a")
    with pytest.raises(JobUnknown, match="tasks.E030.*batch"):
        await Batch(uid=UNKNOWN, handles=(handle,)).wait()
