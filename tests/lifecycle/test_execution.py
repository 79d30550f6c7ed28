"""One execution outside HTTP: scopes around it, the container current, parameters filled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Annotated, Any

import pytest
from fastapi import Depends

from fastforge.conf import Section, Settings
from fastforge.exceptions import ContainerMissing
from fastforge.lifecycle import (
    Role,
    current_container,
    execute,
    plan,
    provide,
    resource,
    running,
    scope,
    section,
    setting,
    use_container,
)

from .conftest import MakeRegistry

unit: ContextVar[str] = ContextVar("unit")
log: list[str] = []


class Orders(Section):
    page_size: int = 20


@resource
async def pool() -> AsyncIterator[str]:
    yield "pool"


@scope
async def unit_of_work(pool: Annotated[str, provide(pool)]) -> AsyncIterator[None]:
    token = unit.set(f"unit of {pool}")
    try:
        yield
        log.append("commit")
    except BaseException as error:
        log.append(type(error).__name__)
        raise
    finally:
        unit.reset(token)


async def read_unit() -> str:
    return unit.get()


@scope
async def quiet_scope() -> AsyncIterator[None]:
    try:
        yield
    except KeyError:
        log.append("caught by the scope")


async def quiet_dependency() -> AsyncIterator[None]:
    try:
        yield
    except ValueError:
        log.append("caught by the dependency")


async def quiet_job(_: Annotated[None, Depends(quiet_dependency)]) -> None: ...


async def job(
    unit: Annotated[str, Depends(read_unit)],
    orders: Annotated[Orders, section(Orders)],
    debug: Annotated[bool, setting("DEBUG")],
) -> str:
    return f"{unit} {orders.page_size} {debug}"


@pytest.fixture
def configured(settings: Settings) -> Settings:
    return Settings({"ORDERS": Orders(), "DEBUG": True}, declared=(), raw=settings.raw)


async def test_scopes_surround_it_and_parameters_are_filled(
    configured: Settings, make_registry: MakeRegistry
) -> None:
    log.clear()
    registry = make_registry(pool, unit_of_work)
    async with running(registry, configured, Role.WORKER) as container:
        async with execute(container, plan(job)) as values:
            assert await job(**values) == "unit of pool 20 True"
            assert current_container() is container
        assert log == ["commit"]
        with pytest.raises(LookupError):
            unit.get()


async def test_an_exception_of_the_body_is_raised_in_the_scope(
    configured: Settings, make_registry: MakeRegistry
) -> None:
    log.clear()
    registry = make_registry(pool, unit_of_work)
    async with running(registry, configured, Role.WORKER) as container:
        with pytest.raises(KeyError):
            async with execute(container, plan(job)):
                raise KeyError("body")
    assert log == ["KeyError"]


async def test_an_exception_that_a_dependency_or_a_scope_catches_has_happened_all_the_same(
    configured: Settings, make_registry: MakeRegistry
) -> None:
    log.clear()
    async with running(make_registry(quiet_scope), configured, Role.WORKER) as container:
        for error in (KeyError("body"), ValueError("body")):
            with pytest.raises(type(error), match="body"):
                async with execute(container, plan(quiet_job)):
                    raise error
    assert log == ["caught by the scope", "caught by the dependency"]


async def test_two_containers_in_one_process_do_not_meet(
    configured: Settings, make_registry: MakeRegistry
) -> None:
    registry = make_registry(pool)
    async with running(registry, configured, Role.WEB) as one:
        async with running(registry, configured, Role.WORKER) as two:
            with use_container(one):
                assert current_container().role is Role.WEB
            assert current_container() is two
        assert current_container() is one
    with pytest.raises(ContainerMissing):
        current_container()


async def test_a_section_that_no_app_declares_is_one_line(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    async def wants(orders: Any) -> None: ...

    wants.__annotations__["orders"] = Annotated[Orders, section(Orders)]
    async with running(make_registry(), settings, Role.WEB) as container:
        with pytest.raises(Exception, match="no installed app declares the section Orders"):
            async with execute(container, plan(wants)):
                raise AssertionError("it must not run")
