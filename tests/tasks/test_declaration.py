"""Declaring, enqueueing and calling tasks."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from contextvars import ContextVar
from datetime import timedelta
from typing import Annotated, Any

import anyio.to_thread
import pytest
from fastapi import Depends

from fastforge.exceptions import ContainerMissing, TaskError
from fastforge.lifecycle import Container, injected, use_container
from fastforge.observability.context import request_id
from fastforge.tasks import MemoryBackend, Retry, Task, task


async def give_session() -> str:
    return "session"


@task(queue="mail", retry=Retry(max_attempts=8), timeout_s=30)
async def send(order_id: int, *, db: Annotated[str, Depends(give_session)] = injected) -> str:
    """Mail the receipt of one order."""
    return f"{order_id} {db}"


@task
def resize(path: str) -> tuple[str, bool]:
    return path, threading.current_thread() is threading.main_thread()


@pytest.fixture
def here(container: Container) -> Any:
    with use_container(container):
        yield


def test_a_task_looks_like_its_function() -> None:
    assert (send.__name__, send.__doc__) == ("send", "Mail the receipt of one order.")
    assert inspect.signature(send).parameters.keys() == {"order_id", "db"}
    assert inspect.getmodule(send) is inspect.getmodule(give_session)


def test_the_name_is_the_module_and_the_function_unless_given() -> None:
    assert resize.name == f"{__name__}.resize"
    assert task(name="old.name")(give_session).name == "old.name"


def test_an_unknown_argument_is_told_with_its_line_and_the_nearest_name() -> None:
    line = inspect.currentframe().f_lineno + 2  # type: ignore[union-attr]
    with pytest.raises(TaskError) as caught:
        task(timout_s=30)(give_session)  # type: ignore[call-overload]
    assert str(caught.value.where).endswith(f"test_declaration.py:{line}")
    assert "[tasks.E092]" in str(caught.value)
    assert "@task got timout_s=, which it does not take; did you mean 'timeout_s'?" in str(
        caught.value
    )


def test_a_type_error_of_something_else_stays_what_it_is() -> None:
    with pytest.raises(TypeError, match="positional"):
        task(give_session, give_session)  # type: ignore[call-overload]


def test_a_task_is_a_frozen_value() -> None:
    with pytest.raises(AttributeError):
        send.queue = "other"  # type: ignore[misc]
    assert task(give_session) == task(give_session)
    assert len({task(give_session), task(give_session)}) == 1


async def generator() -> Any:
    yield 1


@pytest.mark.parametrize("wrong", [generator, type("Job", (), {}), print])
def test_only_functions_become_tasks(wrong: Callable[..., Any]) -> None:
    with pytest.raises(TaskError, match="tasks.E011"):
        task(wrong)


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf"), "30", timedelta(1), True])
def test_a_time_limit_is_positive(wrong: Any) -> None:
    with pytest.raises(TaskError, match="tasks.E012.*of the task give_session"):
        task(timeout_s=wrong)(give_session)


def test_a_retry_is_a_retry() -> None:
    with pytest.raises(TaskError, match=r"tasks.E001.*retry=5 .*write retry=Retry\("):
        task(retry=5)(give_session)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("options", "code"),
    [({"queue": "a b"}, "E027"), ({"queue": ""}, "E027"), ({"priority": 40_000}, "E022")],
)
def test_a_queue_and_a_priority_are_what_a_backend_can_keep(
    options: dict[str, Any], code: str
) -> None:
    with pytest.raises(TaskError, match=f"tasks.{code}") as caught:
        task(**options)(give_session)
    assert __file__.endswith(str(caught.value.where).partition(":")[0])


@pytest.mark.usefixtures("here")
async def test_enqueue_keeps_everything_that_the_worker_needs(backend: MemoryBackend) -> None:
    request_id.set("r-1")
    handle = await send.enqueue(order_id=7)
    (job,) = backend.jobs.values()
    assert (handle.uid, handle.queue, handle.is_new) == (job.envelope.uid, "mail", True)
    assert job.envelope.task == send.name == handle.task
    assert job.envelope.payload == {"order_id": 7}
    assert (job.envelope.max_attempts, job.envelope.version) == (8, 1)
    assert job.envelope.headers == {"request_id": "r-1"}


@pytest.mark.usefixtures("here")
async def test_a_task_that_does_not_say_is_tried_as_often_as_the_settings_say(
    backend: MemoryBackend,
) -> None:
    await resize.enqueue("a.png")
    (job,) = backend.jobs.values()
    assert job.envelope.max_attempts == 3


@pytest.mark.usefixtures("here")
async def test_nothing_is_kept_of_a_call_that_does_not_fit(backend: MemoryBackend) -> None:
    with pytest.raises(TaskError):
        await send.enqueue(order_id="seven")  # type: ignore[arg-type]
    assert backend.jobs == {}


async def test_outside_a_project_the_error_says_so() -> None:
    with pytest.raises(ContainerMissing):
        await send.enqueue(order_id=7)


async def test_a_backend_that_is_not_installed_is_named(container: Container) -> None:
    values = {"TASKS": container.settings["TASKS"].model_copy(update={"backend": "database"})}
    container.settings = type(container.settings)(values, declared=(), raw=container.settings.raw)
    with use_container(container), pytest.raises(TaskError, match=r"contrib\.jobs"):
        await send.enqueue(order_id=7)


async def test_called_directly_it_is_the_plain_function() -> None:
    assert await send(7, db="mine") == "7 mine"
    assert await send.function(7, db="mine") == "7 mine"


async def test_called_directly_a_def_runs_in_a_thread() -> None:
    assert await resize("a.png") == ("a.png", False)


async def test_called_directly_what_a_worker_injects_has_to_be_given() -> None:
    with pytest.raises(TaskError, match=r"tasks.E010.*without db"):
        await send(7)


place: ContextVar[str] = ContextVar("place", default="nowhere")


@pytest.mark.usefixtures("here")
async def test_a_thread_enqueues_in_the_context_of_its_caller(
    monkeypatch: pytest.MonkeyPatch, backend: MemoryBackend
) -> None:
    seen: list[str] = []
    keep = backend.enqueue

    async def noting(envelopes: Any) -> Any:
        seen.append(place.get())
        return await keep(envelopes)

    monkeypatch.setattr(backend, "enqueue", noting)
    place.set("handler")
    handle = await anyio.to_thread.run_sync(lambda: send.enqueue_sync(order_id=7))
    assert seen == ["handler"]
    assert handle.uid in backend.jobs


@pytest.mark.usefixtures("here")
async def test_a_mistake_in_a_thread_arrives_there() -> None:
    with pytest.raises(TaskError, match="tasks.E003"):
        await anyio.to_thread.run_sync(send.enqueue_sync)


@pytest.mark.usefixtures("here")
async def test_on_the_event_loop_enqueue_sync_says_what_to_write() -> None:
    with pytest.raises(TaskError, match=r"tasks.E013.*await send.enqueue"):
        send.enqueue_sync(order_id=7)


@pytest.mark.usefixtures("here")
async def test_in_a_foreign_thread_enqueue_sync_is_refused() -> None:
    call = asyncio.to_thread(send.enqueue_sync, order_id=7)
    with pytest.raises(TaskError, match="tasks.E014"):
        await call


def test_without_an_event_loop_enqueue_sync_is_refused() -> None:
    with pytest.raises(TaskError, match="tasks.E014"):
        send.enqueue_sync(order_id=7)


def test_kinds_find_tasks_where_they_are_declared() -> None:
    from fastforge.tasks import TASKS

    assert TASKS.matches(send)
    assert TASKS.home_module(send) == __name__
    assert isinstance(send, Task)
