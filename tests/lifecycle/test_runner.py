"""Resources open in the order of their needs and close in the exact reverse, whatever happens."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest

from fastforge.components import Registry
from fastforge.conf import Settings
from fastforge.exceptions import (
    ContainerMissing,
    ResourceRefused,
    ResourceUnavailable,
    SettingsError,
    StartError,
)
from fastforge.lifecycle import (
    Resource,
    Role,
    current_container,
    provide,
    resource,
    running,
)
from fastforge.lifecycle.runner import INTERRUPTED_TEARDOWN_S

from .conftest import MakeRegistry

N = 5


class Boom(Exception):
    """What a resource of these tests fails with."""


def chain(
    log: list[str],
    *,
    fail_open: int = -1,
    hang_open: int = -1,
    fail_close: int = -1,
    hang_close: int = -1,
    swallow: bool = False,
) -> list[Resource[Any]]:
    """Return N resources, each needing the one before it."""
    made: list[Resource[Any]] = []
    for number in range(N):
        needs = tuple(made[-1:])

        @resource(name=f"r{number}", needs=needs, close_timeout_s=0.2)
        async def each(number: int = number) -> AsyncIterator[int]:
            if number == hang_open:
                log.append(f"hang {number}")
                await asyncio.sleep(3600)
            if number == fail_open:
                raise Boom(f"no {number}")
            log.append(f"+{number}")
            yield number
            log.append(f"-{number}")
            if number == fail_close:
                raise Boom("close")
            while number == hang_close:
                try:
                    await asyncio.sleep(3600)
                except asyncio.CancelledError:
                    if not swallow or "over" in log:
                        raise

        made.append(each)
    return made


def opened(upto: int) -> list[str]:
    return [f"+{i}" for i in range(upto)]


def closed(upto: int) -> list[str]:
    return [f"-{i}" for i in reversed(range(upto))]


async def test_all_open_in_order_and_close_in_reverse(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    log: list[str] = []
    resources = chain(log)
    async with running(make_registry(*reversed(resources)), settings, Role.WEB) as container:
        assert [container[each] for each in resources] == list(range(N))
        assert container.resources == tuple(resources)
        log.append("run")
    assert log == [*opened(N), "run", *closed(N)]
    assert container.resources == ()


@pytest.mark.parametrize("k", range(N))
async def test_when_the_kth_fails_each_opened_one_is_closed_once_in_reverse(
    k: int, settings: Settings, make_registry: MakeRegistry
) -> None:
    log: list[str] = []
    with pytest.raises(StartError) as caught:
        async with running(make_registry(*chain(log, fail_open=k)), settings, Role.WEB):
            raise AssertionError("it must not start")
    assert log == [*opened(k), *closed(k)]
    assert "\n" not in str(caught.value)
    assert f"the resource 'r{k}' of the app 'shop' could not be opened: Boom: no {k}" in str(
        caught.value
    )
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("k", range(N))
async def test_when_the_start_is_cancelled_in_the_kth_all_are_closed_within_a_second(
    k: int, settings: Settings, make_registry: MakeRegistry
) -> None:
    log: list[str] = []

    async def start() -> None:
        async with running(make_registry(*chain(log, hang_open=k)), settings, Role.WEB):
            raise AssertionError("it must not start")

    task = asyncio.create_task(start())
    while f"hang {k}" not in log:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 30)
    assert log == [*opened(k), f"hang {k}", *closed(k)]
    assert INTERRUPTED_TEARDOWN_S < 1


@pytest.mark.parametrize("k", range(N))
@pytest.mark.parametrize("fault", ["fail_close", "hang_close"])
async def test_a_failing_or_hanging_close_never_prevents_the_next(
    k: int,
    fault: str,
    settings: Settings,
    make_registry: MakeRegistry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    log: list[str] = []
    async with running(make_registry(*chain(log, **{fault: k})), settings, Role.WEB):  # type: ignore[arg-type]
        pass
    assert log == [*opened(N), *closed(N)]
    assert f"'r{k}'" in caplog.text


async def test_a_close_that_ignores_its_cancellation_is_left_behind(
    settings: Settings, make_registry: MakeRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    log: list[str] = []
    async with running(make_registry(*chain(log, hang_close=2, swallow=True)), settings, Role.WEB):
        pass
    assert log == [*opened(N), *closed(N)]
    assert "'r2' ignores its cancellation" in caplog.text
    log.append("over")  # so that the loop of this test can end


async def test_all_are_closed_when_the_body_raises(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    log: list[str] = []
    with pytest.raises(Boom):
        async with running(make_registry(*chain(log)), settings, Role.WEB):
            raise Boom
    assert log == [*opened(N), *closed(N)]


async def test_all_are_closed_in_order_when_the_whole_loop_is_cancelled_at_once(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    """A server ends its loop by cancelling every task: the resources' own tasks as well."""
    log: list[str] = []
    started = asyncio.Event()

    async def serve() -> None:
        async with running(make_registry(*chain(log)), settings, Role.WEB):
            started.set()
            await asyncio.sleep(3600)

    before = asyncio.all_tasks()
    task = asyncio.create_task(serve())
    await started.wait()
    for each in asyncio.all_tasks() - before:
        each.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 30)
    assert log == [*opened(N), *closed(N)]


async def test_a_second_cancellation_does_not_cut_the_closing_short(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    log: list[str] = []
    started = asyncio.Event()

    async def serve() -> None:
        async with running(make_registry(*chain(log, hang_close=4)), settings, Role.WEB):
            started.set()
            await asyncio.sleep(3600)

    task = asyncio.create_task(serve())
    await started.wait()
    task.cancel()
    while "-4" not in log:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 30)
    assert log == [*opened(N), *closed(N)]


async def test_a_required_resource_is_tried_again_until_it_opens(
    settings: Settings, make_registry: MakeRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    attempts = 0

    @resource
    async def shy() -> AsyncIterator[str]:
        nonlocal attempts
        attempts += 1
        if attempts < 3:
            raise ConnectionRefusedError("postgresql://u:hunter2@db/shop is away")
        yield "open"

    registry = make_registry(shy)
    async with running(registry, settings, Role.WEB, start_deadline_s=60) as container:
        assert container[shy] == "open"
    assert attempts == 3
    assert len([r for r in caplog.records if "next attempt" in r.message]) == 2
    assert "hunter2" not in caplog.text


async def test_a_mistake_of_the_program_is_not_tried_again(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    attempts = 0

    @resource
    async def wrong() -> AsyncIterator[str]:
        nonlocal attempts
        attempts += 1
        yield "a" + 1  # type: ignore[operator]

    with pytest.raises(StartError):
        async with running(make_registry(wrong), settings, Role.WEB, start_deadline_s=60):
            raise AssertionError("it must not start")
    assert attempts == 1


async def test_a_refusal_is_not_tried_again_and_a_degradable_one_is(
    settings: Settings, make_registry: MakeRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    attempts = 0

    async def refused() -> AsyncIterator[str]:
        nonlocal attempts
        attempts += 1
        if attempts < 3:
            raise ResourceRefused("the password is wrong", code="search.E001")
        yield "open"

    required, degradable = resource(refused), resource(required=False)(refused)
    with pytest.raises(StartError, match="the password is wrong"):
        async with running(make_registry(required), settings, Role.WEB, start_deadline_s=60):
            raise AssertionError("it must not start")
    assert attempts == 1
    async with running(make_registry(degradable), settings, Role.WEB) as container:
        async with asyncio.timeout(60):
            while degradable not in container:
                await asyncio.sleep(0.01)
    assert attempts == 3


async def test_the_start_deadline_ends_the_attempts(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    @resource
    async def away() -> AsyncIterator[str]:
        raise ResourceUnavailable("nobody at db:5432", code="db.E001", hint="start it")
        yield ""

    with pytest.raises(StartError, match="nobody at db:5432; start it"):
        async with running(make_registry(away), settings, Role.WEB, start_deadline_s=0.3):
            raise AssertionError("it must not start")


async def test_what_a_resource_says_of_its_absence_keeps_its_cause(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    refused = ConnectionRefusedError("port 5432")

    @resource
    async def away() -> AsyncIterator[str]:
        raise ResourceUnavailable("nobody at db:5432", code="db.E001") from refused
        yield ""

    with pytest.raises(ResourceUnavailable) as caught:
        async with running(make_registry(away), settings, Role.WEB, start_deadline_s=0):
            raise AssertionError("it must not start")
    assert caught.value.__cause__ is refused


async def test_a_resource_that_does_not_open_in_time_is_one_line(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    @resource(start_timeout_s=0.05)
    async def slow() -> AsyncIterator[None]:
        await asyncio.sleep(3600)
        yield

    with pytest.raises(StartError, match=r"it did not open within 0\.05 s") as caught:
        async with running(make_registry(slow), settings, Role.WEB):
            raise AssertionError("it must not start")
    assert "\n" not in str(caught.value)


async def test_a_degradable_resource_that_fails_is_opened_later(
    settings: Settings, make_registry: MakeRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    log: list[str] = []
    here = False

    @resource(required=False)
    async def cache() -> AsyncIterator[str]:
        if not here:
            raise ConnectionRefusedError("away")
        log.append("+cache")
        yield "cache"
        log.append("-cache")

    @resource(required=False, needs=[cache])
    async def session_store() -> AsyncIterator[str]:
        log.append("+store")
        yield "store"
        log.append("-store")

    registry = make_registry(cache, session_store)
    async with running(registry, settings, Role.WEB) as container:
        with pytest.raises(ResourceUnavailable, match="'cache' is unavailable: Connection"):
            container[cache]
        here = True
        async with asyncio.timeout(30):
            while session_store not in container:
                await asyncio.sleep(0.01)
        assert container[cache] == "cache"
    assert log == ["+cache", "+store", "-store", "-cache"]
    assert "the resource 'cache' is available" in caplog.text


async def test_parameters_name_what_is_needed_and_receive_it(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    @resource
    async def pool() -> AsyncIterator[list[str]]:
        yield ["pool"]

    Pool = Annotated[list[str], provide(pool)]

    async def client(pool: Pool) -> AsyncIterator[list[str]]:
        yield [*pool, "client"]

    client.__annotations__["pool"] = Pool  # what a module-level alias would give
    made = resource(client)
    async with running(make_registry(made, pool), settings, Role.WEB) as container:
        assert container[made] == ["pool", "client"]
        assert container.resources == (pool, made)


async def test_only_resources_of_the_role_are_open(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    @resource(roles=[Role.WORKER])
    async def consumer() -> AsyncIterator[int]:
        yield 1

    async with running(make_registry(consumer), settings, Role.WEB) as container:
        with pytest.raises(ContainerMissing, match="not open in this web process") as caught:
            container[consumer]
    assert "it opens only in worker" in caught.value.hint


async def test_a_resource_of_no_installed_app_says_so(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    @resource
    async def stranger() -> AsyncIterator[int]:
        yield 1

    async with running(make_registry(), settings, Role.WEB) as container:
        with pytest.raises(ContainerMissing, match="install the app"):
            container[stranger]


async def test_outside_a_running_project_the_remedies_are_named() -> None:
    with pytest.raises(ContainerMissing, match="no project runs here"):
        current_container()


async def test_a_resource_that_yields_twice_is_reported(
    settings: Settings, make_registry: MakeRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    @resource
    async def twice() -> AsyncIterator[int]:
        yield 1
        yield 2

    @resource
    async def bare() -> AsyncIterator[None]:
        yield
        yield

    registry: Registry = make_registry(twice, bare)
    async with running(registry, settings, Role.WEB):
        pass
    assert "the resource 'twice' yields twice" in caplog.text
    assert "the resource 'bare' yields twice" in caplog.text


async def test_a_resource_that_never_yields_is_one_line(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    @resource
    async def nothing() -> AsyncIterator[int]:
        if settings is None:
            yield 1

    with pytest.raises(StartError, match="it ended without a yield"):
        async with running(make_registry(nothing), settings, Role.WEB):
            raise AssertionError("it must not start")


async def test_a_mistake_that_is_known_keeps_its_code_and_its_place(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    @resource
    async def wrong() -> AsyncIterator[None]:
        raise SettingsError("the url is empty", code="db.E019", where="shop/settings.py:7")
        yield

    with pytest.raises(StartError) as caught:
        async with running(make_registry(wrong), settings, Role.WEB, start_deadline_s=60):
            raise AssertionError("it must not start")
    assert str(caught.value).startswith("[db.E019] shop/settings.py:7: the resource 'wrong' of")


def pool_that_tells(log: list[str]) -> Resource[str]:
    @resource
    async def pool() -> AsyncIterator[str]:
        yield "pool"
        log.append("pool closed")

    return pool


def test_a_project_that_nobody_ends_closes_as_its_event_loop_does(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    """Nobody waits for ever for an order to close that nobody is there to give."""
    log: list[str] = []
    registry = make_registry(pool_that_tells(log))

    async def begin() -> object:
        project = running(registry, settings, Role.WEB)
        await project.__aenter__()
        return project

    with asyncio.Runner() as runner:
        left = runner.run(begin())
    assert left
    assert log == ["pool closed"]


def test_a_project_whose_owner_ends_with_the_event_loop_closes_as_well(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    """The loop cancels the owner and the resource at once: the owner has not ended before."""
    log: list[str] = []
    registry = make_registry(pool_that_tells(log))

    async def begin() -> None:
        project = running(registry, settings, Role.WEB)
        await project.__aenter__()
        opened.set_result(project)
        try:
            await asyncio.sleep(600)
        finally:
            await asyncio.sleep(0.01)

    async def main() -> None:
        nonlocal opened
        opened = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().create_task(begin())
        await opened

    opened: asyncio.Future[object]
    with asyncio.Runner() as runner:
        runner.run(main())
    assert log == ["pool closed"]
