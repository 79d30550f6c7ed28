"""What is said about a job with `using`, and calls that are enqueued later."""

from __future__ import annotations

import asyncio
import inspect
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import anyio.to_thread
import pytest

from fastforge.exceptions import TaskError
from fastforge.lifecycle import Container, use_container
from fastforge.tasks import (
    Call,
    Concurrency,
    Envelope,
    JobState,
    MemoryBackend,
    PreparedTask,
    Rate,
    Retry,
    Unique,
    enqueue_many,
    task,
)

LATER = datetime(2999, 1, 1, tzinfo=UTC)
NAIVE = LATER.replace(tzinfo=None)


@task(queue="mail", retry=Retry(max_attempts=8), priority=5)
async def send(order_id: int, text: str = "thanks") -> str:
    return f"{order_id} {text}"


@task
def resize(path: str) -> int:
    return len(path)


@task(unique=True)
async def remind(order_id: int, text: str = "pay") -> None: ...


@pytest.fixture
def here(run_project: Any, backend: MemoryBackend) -> Any:
    return run_project(send, resize, remind, backend=backend)


@pytest.fixture
async def project(here: Any) -> Any:
    async with here as container:
        with use_container(container):
            yield container


def only(backend: MemoryBackend) -> Envelope:
    (job,) = backend.jobs.values()
    return job.envelope


# --- using ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("project")
async def test_what_is_said_travels_with_the_job(backend: MemoryBackend) -> None:
    prepared = send.using(
        queue="bulk", delay=timedelta(minutes=1), priority=-3, expires=timedelta(hours=1)
    )
    handle = await prepared.enqueue(order_id=7)
    job = only(backend)
    assert handle.queue == job.queue == "bulk"
    assert (job.delay_s, job.run_at, job.priority, job.max_attempts) == (60, None, -3, 8)
    assert job.expires_at is not None
    assert timedelta(minutes=59) < job.expires_at - datetime.now(UTC) <= timedelta(hours=1)


@pytest.mark.usefixtures("project")
async def test_what_is_not_said_is_as_the_task_says(backend: MemoryBackend) -> None:
    await send.using(delay=2.5).enqueue(7)
    job = only(backend)
    assert (job.queue, job.priority, job.delay_s) == ("mail", 5, 2.5)
    assert (job.expires_at, job.unique, job.slots, job.pace) == (None, None, None, None)


@pytest.mark.usefixtures("project")
async def test_a_moment_with_a_zone_is_when_it_is_due(backend: MemoryBackend) -> None:
    moment = datetime(2999, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    await send.using(run_at=moment, expires=moment + timedelta(1)).enqueue(7)
    assert (only(backend).run_at, only(backend).expires_at) == (moment, moment + timedelta(1))


@pytest.mark.usefixtures("project")
async def test_a_thread_enqueues_what_was_prepared(backend: MemoryBackend) -> None:
    prepared = send.using(priority=1)
    handle = await anyio.to_thread.run_sync(lambda: prepared.enqueue_sync(order_id=7))
    assert (only(backend).priority, only(backend).uid) == (1, handle.uid)


def test_what_is_said_twice_is_as_it_was_said_last() -> None:
    prepared = send.using(queue="bulk", delay=60, priority=1).using(run_at=LATER, priority=2)
    options = prepared.options
    assert (options.queue, options.priority) == ("bulk", 2)
    assert (options.delay, options.run_at) == (None, LATER)


def test_a_prepared_task_is_a_value() -> None:
    assert send.using(priority=1) == send.using(priority=1) != send.using(priority=2)
    assert isinstance(send.using(), PreparedTask)
    assert len({send.using(delay=1), send.using(delay=1)}) == 1


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        ({"run_at": NAIVE}, "E023", "run_at=.* has no time zone.*datetime.now"),
        ({"run_at": "tomorrow"}, "E023", "run_at='tomorrow' is no moment"),
        ({"expires": NAIVE}, "E023", "expires=.* has no time zone"),
        ({"expires": 60}, "E023", "expires=60 is no moment"),
        ({"delay": 60, "run_at": LATER}, "E024", "both say when"),
        ({"delay": 0, "run_at": LATER}, "E024", "both say when"),
        ({"delay": -1}, "E025", "delay=-1 is no time from now on"),
        ({"delay": timedelta(seconds=-1)}, "E025", "timedelta"),
        ({"delay": float("nan")}, "E025", "delay=nan"),
        ({"delay": float("inf")}, "E025", "delay=inf"),
        ({"delay": timedelta.max}, "E025", "100 years"),
        ({"delay": "60"}, "E025", "delay='60'"),
        ({"delay": True}, "E025", "delay=True"),
        ({"expires": datetime(2020, 1, 1, tzinfo=UTC)}, "E026", "is over at 2020"),
        ({"expires": timedelta()}, "E026", "never begin"),
        ({"expires": timedelta(minutes=1), "delay": 60}, "E026", "never begin"),
        ({"expires": LATER, "run_at": LATER}, "E026", "due at 2999"),
        ({"priority": 32_768}, "E022", "from -32768 to 32767"),
        ({"priority": -32_769}, "E022", "priority=-32769"),
        ({"priority": 1.5}, "E022", "priority=1.5"),
        ({"priority": True}, "E022", "priority=True"),
        ({"queue": ""}, "E027", "queue='' is no name"),
        ({"queue": "a,b"}, "E027", "queue='a,b'"),
        ({"queue": "a:2"}, "E027", "queue='a:2'"),
        ({"queue": 7}, "E027", "queue=7"),
        ({"unique": Unique(by="order")}, "E019", "did you mean 'order_id'"),
        ({"unique": "order_id"}, "E019", "no Unique"),
    ],
)
def test_a_mistake_is_found_where_it_is_made(said: dict[str, Any], code: str, words: str) -> None:
    with pytest.raises(TaskError, match=rf"tasks.{code}.*{words}") as caught:
        send.using(**said)
    assert "\n" not in str(caught.value)
    if code != "E019":  # that is about the task
        assert __file__.endswith(str(caught.value.where).partition(":")[0])


def test_the_ends_of_what_is_allowed_are_allowed() -> None:
    assert send.using(priority=-32_768).options.priority == -32_768
    assert send.using(priority=32_767, delay=0, expires=timedelta.max).options.delay_s == 0
    past = datetime(2020, 1, 1, tzinfo=UTC)
    assert send.using(run_at=past).options.run_at == past


@pytest.mark.usefixtures("project")
async def test_what_has_expired_since_is_refused(backend: MemoryBackend) -> None:
    call = send.using(expires=datetime.now(UTC) + timedelta(hours=1)).call(7)
    backend.clock.advance(timedelta(hours=2))
    with pytest.raises(TaskError, match="tasks.E026"):
        await enqueue_many([call])
    assert not backend.jobs


# --- queues --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("typed", "meant"), [("mial", "mail"), ("mails", "mail"), ("defualt", "default")]
)
async def test_a_queue_that_is_clearly_misspelt_is_refused(
    typed: str, meant: str, backend: MemoryBackend
) -> None:
    with pytest.raises(TaskError, match=rf"tasks.E027.*did you mean '{meant}'"):
        await send.using(queue=typed).enqueue(7)
    assert not backend.jobs


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("free", ["bulk", "mail-2", "mail2", "mailbox", "Mail", "nail", "m"])
async def test_any_other_queue_is_free(free: str, backend: MemoryBackend) -> None:
    await send.using(queue=free).enqueue(7)
    assert only(backend).queue == free


# --- calls ---------------------------------------------------------------------------------------


def test_a_call_is_a_frozen_value_that_needs_no_project() -> None:
    call = send.using(priority=1).call(7)
    assert call == send.using(priority=1).call(order_id=7) != send.call(7)
    assert call.payload == {"order_id": 7}
    assert len({send.call(7), send.call(7)}) == 1
    with pytest.raises(AttributeError):
        call.payload = {}  # type: ignore[misc]


def test_a_call_is_checked_where_it_is_made() -> None:
    with pytest.raises(TaskError, match=r"tasks.E004.*order_id='seven'"):
        send.call("seven")  # type: ignore[arg-type]
    with pytest.raises(TaskError, match="tasks.E003"):
        send.call()  # type: ignore[call-arg]


@pytest.mark.usefixtures("project")
async def test_a_mistake_in_a_call_is_told_at_the_line_that_calls() -> None:
    line = inspect.currentframe().f_lineno + 3  # type: ignore[union-attr]
    with pytest.raises(TaskError) as by_call:
        # The message says nothing of an enqueueing: there was none.
        send.call("seven")  # type: ignore[arg-type]
    assert str(by_call.value.where).endswith(f"test_calls.py:{line}")
    assert "send was given order_id='seven'" in str(by_call.value)
    with pytest.raises(TaskError) as by_enqueue:
        await send.enqueue()  # type: ignore[call-arg]
    assert str(by_enqueue.value.where).endswith(f"test_calls.py:{line + 4}")


@pytest.mark.usefixtures("project")
async def test_a_mistake_in_a_thread_is_told_at_its_line() -> None:
    def handle() -> None:
        send.using(queue="mial").enqueue_sync(7)

    with pytest.raises(TaskError, match="E027") as caught:
        await anyio.to_thread.run_sync(handle)
    line = handle.__code__.co_firstlineno + 1
    assert str(caught.value.where).endswith(f"test_calls.py:{line}")


@pytest.mark.usefixtures("project")
async def test_a_mistake_of_which_no_line_is_known_names_the_task() -> None:
    """`create_task` calls nothing: the loop does, and the line that runs it is no mistake."""
    with pytest.raises(TaskError, match="E004") as caught:
        await asyncio.create_task(send.enqueue("seven"))  # type: ignore[arg-type]
    place = send.function.__code__.co_firstlineno
    assert str(caught.value.where).endswith(f"test_calls.py:{place}")


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ({"delya": 5}, "did you mean 'delay'?"),
        ({"after": 5}, "it takes queue, delay, run_at, priority, unique, expires"),
        ({"queue": "mail", "queu": "mail"}, "did you mean 'queue'?"),
    ],
)
def test_an_unknown_argument_of_using_is_told_with_its_line(
    wrong: dict[str, Any], hint: str
) -> None:
    with pytest.raises(TaskError) as caught:
        send.using(**wrong)
    assert caught.value.code == "tasks.E092"
    assert hint in caught.value.hint
    assert "test_calls.py:" in str(caught.value.where)


@pytest.mark.usefixtures("project")
async def test_each_time_that_a_call_is_enqueued_it_is_a_new_job(backend: MemoryBackend) -> None:
    call = send.call(7)
    batch = await send.enqueue_many([call, call])
    assert len({handle.uid for handle in batch.handles}) == len(backend.jobs) == 2


# --- batches -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("project")
async def test_a_batch_is_one_enqueueing_of_the_backend(
    backend: MemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueued: list[Any] = []
    keep = backend.enqueue

    async def noting(envelopes: Any, **options: Any) -> Any:
        enqueued.append((envelopes, options["batch"]))
        return await keep(envelopes, **options)

    monkeypatch.setattr(backend, "enqueue", noting)
    calls = (send.call(number) for number in range(3))
    batch = await send.using(priority=2).enqueue_many(calls, then=resize.call("a.png"))
    ((envelopes, new),) = enqueued
    assert [handle.uid for handle in batch.handles] == [each.uid for each in envelopes]
    assert {(each.batch, each.priority) for each in envelopes} == {(batch.uid, 2)}
    assert (new.uid, new.then.task, new.then.batch) == (batch.uid, resize.name, None)
    assert new.then.priority == 0
    assert (await batch.record()).pending == 3


@pytest.mark.usefixtures("project")
async def test_what_a_call_says_goes_before_what_the_batch_says(backend: MemoryBackend) -> None:
    calls: list[Call[str]] = [send.using(priority=1, run_at=LATER).call(1), send.call(2)]
    await send.using(priority=2, delay=60).enqueue_many(calls)
    first, second = (job.envelope for job in backend.jobs.values())
    assert (first.priority, first.run_at, first.delay_s) == (1, LATER, 0)
    assert (second.priority, second.run_at, second.delay_s) == (2, None, 60)


@pytest.mark.usefixtures("project")
async def test_a_batch_of_several_tasks(backend: MemoryBackend) -> None:
    batch = await enqueue_many([send.call(1), resize.call("a.png")])
    assert [handle.task for handle in batch.handles] == [send.name, resize.name]
    assert {job.envelope.batch for job in backend.jobs.values()} == {batch.uid}


@pytest.mark.usefixtures("project")
async def test_an_empty_batch_is_over_and_what_comes_then_is_enqueued(
    backend: MemoryBackend,
) -> None:
    batch = await send.enqueue_many([])
    assert (batch.handles, backend.jobs) == ((), {})
    record = await batch.wait(timeout_s=0)
    assert (record.uid, record.total, record.pending) == (batch.uid, 0, 0)
    await send.enqueue_many([], then=resize.call("a.png"))
    assert only(backend).task == resize.name


@pytest.mark.usefixtures("project")
async def test_one_of_a_kind_in_a_batch_gives_the_handle_of_the_first(
    backend: MemoryBackend,
) -> None:
    batch = await remind.enqueue_many([remind.call(1), remind.call(1), remind.call(2)])
    first, again, other = batch.handles
    assert (first.is_new, again.is_new, other.is_new) == (True, False, True)
    assert first.uid == again.uid != other.uid
    assert (await batch.record()).total == len(backend.jobs) == 2


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("wrong", [[7], [{"order_id": 7}], send.call(7), [send.call(7), None]])
async def test_what_is_no_list_of_calls_is_refused(wrong: Any, backend: MemoryBackend) -> None:
    with pytest.raises(TaskError, match=r"tasks.E029.*in place of a list of calls"):
        await enqueue_many(wrong)
    assert not backend.jobs


@pytest.mark.usefixtures("project")
async def test_what_comes_then_is_a_call(backend: MemoryBackend) -> None:
    with pytest.raises(TaskError, match="tasks.E029"):
        await send.enqueue_many([send.call(1)], then=resize)  # type: ignore[arg-type]
    assert not backend.jobs


@pytest.mark.usefixtures("project")
async def test_a_batch_of_one_task_takes_no_other(backend: MemoryBackend) -> None:
    with pytest.raises(TaskError, match=r"tasks.E029.*was given a call of resize"):
        await send.enqueue_many([send.call(1), resize.call("a")])  # type: ignore[list-item]
    assert not backend.jobs


# --- the limits that a job carries ---------------------------------------------------------------


@task(
    unique=Unique(by="order_id", for_s=60),
    concurrency=Concurrency(2, by="account"),
    rate=Rate(10, per_s=5),
)
async def settle(order_id: int, account: str = "main") -> None: ...


@pytest.fixture
def envelopes(project: Container, backend: MemoryBackend) -> Any:
    async def envelope_of(call: Call[Any]) -> Envelope:
        batch = await enqueue_many([call])
        return backend.jobs[batch.handles[0].uid].envelope

    return envelope_of


async def test_a_job_carries_the_limits_of_its_task(envelopes: Any) -> None:
    job = await envelopes(settle.call(7))
    assert (job.unique.key, job.unique.for_s) == (f"{settle.name}:[7]", 60)
    assert (job.slots.key, job.slots.limit) == (f'{settle.name}:["main"]', 2)
    assert (job.pace.key, job.pace.limit, job.pace.per_s) == (settle.name, 10, 5)


async def test_a_default_counts_like_the_same_value_given(envelopes: Any) -> None:
    left = await envelopes(remind.call(1))
    given = await envelopes(remind.call(1, text="pay"))
    other = await envelopes(remind.call(1, text="please"))
    assert left.uid == given.uid
    assert other.unique.key != left.unique.key


async def test_using_decides_about_uniqueness(envelopes: Any) -> None:
    assert (await envelopes(remind.using(unique=False).call(1))).unique is None
    assert (await envelopes(send.using(unique=True).call(1))).unique.key == (
        f'{send.name}:[1, "thanks"]'
    )
    by_order = await envelopes(send.using(unique=Unique(by=("order_id",), for_s=9)).call(2))
    assert (by_order.unique.key, by_order.unique.for_s) == (f"{send.name}:[2]", 9)


async def test_a_second_job_of_a_kind_is_the_first(project: Container) -> None:
    first, again = await remind.enqueue(1), await remind.enqueue(1)
    assert (first.is_new, again.is_new, again.uid) == (True, False, first.uid)
    assert await again.state() is JobState.READY


def test_the_verbs_of_a_task_are_documented() -> None:
    for verb in ("call", "enqueue", "enqueue_sync", "enqueue_many", "using", "job"):
        assert inspect.getdoc(getattr(send, verb))
