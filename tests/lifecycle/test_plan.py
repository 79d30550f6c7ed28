"""A function's parameters are planned once, and what needs a request is refused by its chain."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from fastapi import BackgroundTasks, Depends, Header, Query, Request

from fastforge.exceptions import DependencyError
from fastforge.lifecycle import injected, plan, provide, resource
from fastforge.lifecycle.execution import solve

if TYPE_CHECKING:
    from decimal import Decimal

log: list[str] = []


@resource
async def pool() -> AsyncIterator[str]:
    yield "pool"


async def number() -> int:
    log.append("number")
    return 7


Number = Annotated[int, Depends(number)]


def text(number: Number) -> str:
    return f"text {number}"


async def opened(number: Number) -> AsyncIterator[str]:
    log.append("open")
    yield f"opened {number}"
    log.append("close")


def opened_in_a_thread() -> Iterator[str]:
    log.append("open thread")
    try:
        yield "thread"
    finally:
        log.append("close thread")


class Service:
    def __init__(self, number: Number, limit: int = 3) -> None:
        self.number, self.limit = number, limit


class Callable_:
    async def __call__(self, number: Number) -> str:
        return f"called {number}"


def needs_request(request: Request) -> str:
    return str(request.url)


async def through(value: Annotated[str, Depends(needs_request)]) -> str:
    return value


async def with_header(token: Annotated[str, Header()]) -> str:
    return token


async def paged(page: int = Query(1)) -> int:
    return page


async def job(
    order_id: int,
    note: str = "",
    *,
    text: Annotated[str, Depends(text)],
    opened: Annotated[str, Depends(opened)],
    thread: Annotated[str, Depends(opened_in_a_thread)] = injected,
    service: Annotated[Service, Depends()] = injected,
    called: Annotated[str, Depends(Callable_())] = injected,
    by_default: str = Depends(text),
) -> None: ...


async def test_arguments_and_injected_parameters_are_told_apart() -> None:
    planned = plan(job, takes_arguments=True)
    assert planned.arguments == ("order_id", "note")
    assert [d.parameter for d in planned.dependencies] == [
        "text", "opened", "thread", "service", "called", "by_default"
    ]  # fmt: skip


async def test_the_graph_is_solved_once_per_execution_and_closed_in_reverse() -> None:
    log.clear()
    async with AsyncExitStack() as stack:
        values = await solve(plan(job, takes_arguments=True), stack)
        assert values["text"] == values["by_default"] == "text 7"
        assert values["opened"] == "opened 7"
        assert values["thread"] == "thread"
        assert (values["service"].number, values["service"].limit) == (7, 3)
        assert values["called"] == "called 7"
        assert log == ["number", "open", "open thread"]
    assert log == ["number", "open", "open thread", "close thread", "close"]


async def test_without_cache_a_dependency_is_called_each_time() -> None:
    async def twice(
        a: Annotated[int, Depends(number, use_cache=False)],
        b: Annotated[int, Depends(number, use_cache=False)],
    ) -> None: ...

    twice.__annotations__ = {
        name: Annotated[int, Depends(number, use_cache=False)] for name in "ab"
    }
    log.clear()
    async with AsyncExitStack() as stack:
        await solve(plan(twice), stack)
    assert log == ["number", "number"]


async def test_an_exception_is_raised_at_the_yield_of_a_threaded_generator() -> None:
    log.clear()
    with pytest.raises(ValueError, match="body"):
        async with AsyncExitStack() as stack:
            await solve(plan(job, takes_arguments=True), stack)
            raise ValueError("body")
    assert log[-1] == "close thread"


def test_what_needs_a_request_is_refused_with_the_chain() -> None:
    async def handler(value: Any) -> None: ...

    handler.__annotations__["value"] = Annotated[str, Depends(through)]
    with pytest.raises(DependencyError) as caught:
        plan(handler)
    message = str(caught.value)
    assert "the parameter request: Request of needs_request belongs to an HTTP request" in message
    assert "handler -> through" in message
    assert "test_plan.py:" in message


@pytest.mark.parametrize("call", [with_header, paged])
def test_parameters_that_come_from_a_request_are_refused(call: Any) -> None:
    async def handler(value: Any) -> None: ...

    handler.__annotations__["value"] = Annotated[Any, Depends(call)]
    with pytest.raises(DependencyError, match="belongs to an HTTP request"):
        plan(handler)


def test_background_tasks_of_a_request_are_refused_at_the_top_too() -> None:
    async def handler(tasks: BackgroundTasks) -> None: ...

    with pytest.raises(DependencyError, match="tasks: BackgroundTasks"):
        plan(handler, takes_arguments=True)


def test_a_parameter_that_nothing_fills_is_refused() -> None:
    async def handler(size: int) -> None: ...

    with pytest.raises(DependencyError, match="size: int of .*handler cannot be filled"):
        plan(handler)


def test_injected_without_a_dependency_is_refused() -> None:
    async def handler(size: int = injected) -> None: ...

    with pytest.raises(DependencyError, match="cannot be filled"):
        plan(handler, takes_arguments=True)


def test_a_name_for_type_checkers_only_is_explained() -> None:
    async def handler(price: Decimal) -> None: ...

    with pytest.raises(DependencyError, match="name 'Decimal', which does not exist") as caught:
        plan(handler, takes_arguments=True)
    assert "outside `if TYPE_CHECKING`" in caught.value.hint


def test_an_annotation_that_cannot_be_evaluated_is_one_line_with_its_place() -> None:
    async def handler(value: Any) -> None: ...

    handler.__annotations__["value"] = "functools.nothing"
    with pytest.raises(
        DependencyError, match="cannot be read: AttributeError: .*nothing"
    ) as caught:
        plan(handler, takes_arguments=True)
    assert caught.value.code == "lifecycle.E021"
    assert str(caught.value.where).endswith(f"test_plan.py:{handler.__code__.co_firstlineno}")


def test_dependencies_that_need_each_other_are_refused() -> None:
    async def first(value: Any) -> None: ...
    async def second(value: Any) -> None: ...

    first.__annotations__["value"] = Annotated[Any, Depends(second)]
    second.__annotations__["value"] = Annotated[Any, Depends(first)]
    with pytest.raises(DependencyError, match="first -> .*second -> .*first"):
        plan(first)


def test_the_resources_of_the_whole_graph_are_known() -> None:
    async def inner(pool: Any) -> None: ...
    async def outer(value: Any) -> None: ...

    inner.__annotations__["pool"] = Annotated[str, provide(pool)]
    outer.__annotations__["value"] = Annotated[Any, Depends(inner)]
    assert plan(outer).resources == (pool,)


async def test_partial_and_wrapped_dependencies_run_as_in_a_handler() -> None:
    async def add(left: int = 1, right: int = 2) -> int:
        return left + right

    @functools.wraps(add)
    def wrapped() -> Any:
        return add(left=3)

    async def handler(a: Any, b: Any) -> None: ...

    handler.__annotations__ = {
        "a": Annotated[int, Depends(functools.partial(add, left=10))],
        "b": Annotated[int, Depends(wrapped)],
    }
    async with AsyncExitStack() as stack:
        values = await solve(plan(handler), stack)
    assert values == {"a": 12, "b": 5}


async def test_one_call_without_cache_does_not_replace_what_others_share() -> None:
    calls: list[int] = []

    async def count() -> int:
        calls.append(len(calls) + 1)
        return calls[-1]

    async def handler(a: Any, b: Any, c: Any) -> None: ...

    handler.__annotations__ = {
        "a": Annotated[int, Depends(count)],
        "b": Annotated[int, Depends(count, use_cache=False)],
        "c": Annotated[int, Depends(count)],
    }
    async with AsyncExitStack() as stack:
        assert await solve(plan(handler), stack) == {"a": 1, "b": 2, "c": 1}
