"""Every resource that has a ping is asked, side by side, within one time limit; what could not be
opened is always told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from contextvars import Context
from typing import Any

from fastforge.conf import Settings
from fastforge.lifecycle import Role, check_health, current_container, resource, running

from .conftest import MakeRegistry


async def test_each_answer_is_reported(settings: Settings, make_registry: MakeRegistry) -> None:
    async def works(_: Any) -> None: ...
    async def hangs(_: Any) -> None:
        await asyncio.sleep(3600)

    async def fails(_: Any) -> None:
        raise ConnectionError("redis://u:hunter2@cache is away")

    resources = []
    for ping in (works, hangs, fails):

        @resource(name=ping.__name__, ping=ping)
        async def each() -> AsyncIterator[int]:
            yield 1

        resources.append(each)

    @resource(name="away", ping=works, required=False)
    async def away() -> AsyncIterator[int]:
        raise ConnectionRefusedError("away")
        yield 1

    @resource
    async def silent() -> AsyncIterator[int]:
        yield 1

    registry = make_registry(*resources, away, silent)
    async with running(registry, settings, Role.WEB) as container:
        answers = {each.resource: each for each in await check_health(container, timeout_s=0.1)}
    assert set(answers) == {"works", "hangs", "fails", "away"}
    assert answers["works"].error == ""
    assert answers["hangs"].error == "no answer within 0.1 s"
    assert "redis://u:***@cache" in answers["fails"].error
    assert answers["away"].error == "ConnectionRefusedError: away"
    assert not answers["away"].required


async def test_a_ping_that_deals_with_its_cancellation_keeps_nobody_waiting(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    released = asyncio.Event()

    async def hangs_on(_: Any) -> None:
        while not released.is_set():
            with suppress(asyncio.CancelledError):
                await released.wait()

    async def gives_up(_: Any) -> None:
        raise asyncio.CancelledError

    @resource(ping=hangs_on)
    async def stubborn() -> AsyncIterator[int]:
        yield 1

    @resource(ping=gives_up)
    async def timid() -> AsyncIterator[int]:
        yield 1

    async with running(make_registry(stubborn, timid), settings, Role.WEB) as container:
        found = await check_health(container, timeout_s=0.1)
        released.set()
    assert [each.error for each in found] == ["no answer within 0.1 s"] * 2


async def test_whoever_asks_may_stand_outside_of_the_project(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    async def ping(_: Any) -> None:
        assert current_container().role is Role.WEB
        raise ConnectionError("away")

    def is_optional(_: Any) -> bool:
        return current_container().role is Role.WEB

    @resource(ping=ping, optional=is_optional)
    async def mirror() -> AsyncIterator[int]:
        yield 1

    async with running(make_registry(mirror), settings, Role.WEB) as container:
        asking = asyncio.create_task(check_health(container), context=Context())
        (health,) = await asking
    assert (health.error, health.required) == ("ConnectionError: away", False)


async def test_those_without_a_ping_are_told_when_all_are_asked_for(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    @resource
    async def silent() -> AsyncIterator[int]:
        yield 1

    @resource(required=False)
    async def away() -> AsyncIterator[int]:
        raise ConnectionRefusedError("nobody listens")
        yield 1

    @resource(roles={Role.WORKER})
    async def elsewhere() -> AsyncIterator[int]:
        yield 1

    registry = make_registry(silent, away, elsewhere)
    async with running(registry, settings, Role.WEB) as container:
        assert [each.resource for each in await check_health(container)] == ["away"]
        found = await check_health(container, all_resources=True)
    assert [(each.app, each.resource, each.error) for each in found] == [
        ("shop", "silent", ""),
        ("shop", "away", "ConnectionRefusedError: nobody listens"),
    ]
