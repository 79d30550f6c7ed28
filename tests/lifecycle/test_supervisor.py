"""Services run beside everything else, start again when they fail, and drain before they stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import pytest

from fastforge.conf import Settings
from fastforge.lifecycle import Role, StopSignal, provide, resource, running, scope, service

from .conftest import MakeRegistry


@resource
async def pool() -> AsyncIterator[list[str]]:
    log: list[str] = []
    yield log
    log.append("pool closed")


Pool = Annotated[list[str], provide(pool)]


async def until(log: list[str], text: str) -> None:
    async with asyncio.timeout(30):
        while text not in log:
            await asyncio.sleep(0.001)


async def test_a_service_has_resources_and_stops_before_they_close(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    @service
    async def loop(pool: Pool) -> None:
        try:
            pool.append("running")
            await asyncio.sleep(3600)
        finally:
            pool.append("stopped")

    async with running(make_registry(pool, loop), settings, Role.WEB) as container:
        log = container[pool]
        await until(log, "running")
    assert log == ["running", "stopped", "pool closed"]


async def test_a_service_that_is_not_scoped_runs_outside_of_the_scopes(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    @scope
    async def unit(pool: Pool) -> AsyncIterator[None]:
        pool.append("scope entered")
        yield

    @service
    async def within(pool: Pool) -> None:
        pool.append("within")

    @service(scoped=False)
    async def outside(pool: Pool) -> None:
        pool.append("outside")

    registry = make_registry(pool, unit, within, outside)
    async with running(registry, settings, Role.WEB) as container:
        log = container[pool]
        await until(log, "within")
        await until(log, "outside")
    assert log.count("scope entered") == 1


async def test_a_failing_service_starts_again(
    settings: Settings, make_registry: MakeRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    attempts: list[str] = []

    @service(backoff_s=0.001)
    async def shaky() -> None:
        attempts.append(f"attempt {len(attempts)}")
        if len(attempts) < 4:
            raise ConnectionError("away")
        await asyncio.sleep(3600)

    async with running(make_registry(shaky), settings, Role.WEB):
        await until(attempts, "attempt 3")
    assert len(attempts) == 4
    assert caplog.text.count("the service 'shaky' failed") == 3


async def test_a_service_that_waits_for_a_cancelled_task_starts_again(
    settings: Settings, make_registry: MakeRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    attempts: list[str] = []

    @service(backoff_s=0.001)
    async def follower() -> None:
        attempts.append(f"attempt {len(attempts)}")
        followed = asyncio.create_task(asyncio.sleep(3600))
        if len(attempts) == 1:
            followed.cancel()
        await followed

    async with running(make_registry(follower), settings, Role.WEB):
        await until(attempts, "attempt 1")
    assert caplog.text.count("the service 'follower' failed") == 1


async def test_a_service_that_fails_as_it_is_cancelled_does_not_start_again(
    settings: Settings, make_registry: MakeRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    attempts: list[str] = []

    @service(backoff_s=0.001)
    async def clumsy() -> None:
        attempts.append("attempt")
        try:
            await asyncio.sleep(3600)
        finally:
            raise ConnectionError("it cannot say goodbye")

    async with running(make_registry(clumsy), settings, Role.WEB):
        await until(attempts, "attempt")
    assert attempts == ["attempt"]
    assert "the service 'clumsy' failed as it was to stop" in caplog.text


async def test_nobody_waits_for_a_service_that_pauses_after_a_failure(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    attempts: list[str] = []

    @service(drain_s=60, backoff_s=3600, max_backoff_s=3600)
    async def away() -> None:
        attempts.append("attempt")
        raise ConnectionError("away")

    async def run_and_stop() -> None:
        async with running(make_registry(away), settings, Role.WEB):
            await until(attempts, "attempt")

    stopped, _ = await asyncio.wait({asyncio.create_task(run_and_stop())}, timeout=30)
    assert stopped
    assert attempts == ["attempt"]


async def test_a_draining_service_is_told_and_waited_for(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    @service(drain_s=30)
    async def consumer(pool: Pool, stopping: StopSignal) -> None:
        pool.append("running")
        await stopping.wait()
        await asyncio.sleep(0.01)
        pool.append("drained")

    async with running(make_registry(pool, consumer), settings, Role.WEB) as container:
        log = container[pool]
        await until(log, "running")
    assert log == ["running", "drained", "pool closed"]


async def test_a_service_that_has_finished_is_not_started_again(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    runs: list[str] = []

    @service(backoff_s=0.001)
    async def once() -> None:
        runs.append("run")

    async with running(make_registry(once), settings, Role.WEB):
        await until(runs, "run")
        await asyncio.sleep(0.02)
    assert runs == ["run"]


async def test_services_of_another_role_do_not_run(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    runs: list[str] = []

    @service(roles=[Role.WORKER])
    async def worker_only() -> None:
        runs.append("run")

    async with running(make_registry(worker_only), settings, Role.WEB):
        await asyncio.sleep(0.01)
    assert runs == []
