"""Notices are read side by side; whatever one does, a line comes of it and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest

from fastforge.conf import Settings
from fastforge.exceptions import ComponentError, ResourceUnavailable
from fastforge.lifecycle import Role, notice, provide, read_notices, resource, running

from .conftest import MakeRegistry


@resource
async def stock() -> AsyncIterator[int]:
    yield 3


@notice
async def shelves(stock: Annotated[int, provide(stock)]) -> list[str]:
    return [f"{stock} shelves are empty: manage refill", "", "  and one is wet \nfrom the rain"]


@notice
async def nothing() -> list[str]:
    return []


async def test_lines_come_in_order_and_the_parameters_are_injected(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    registry = make_registry(stock, shelves, nothing)
    async with running(registry, settings, Role.WEB) as container:
        lines = await read_notices(container)
    assert lines == ("3 shelves are empty: manage refill", "and one is wet")


async def test_one_that_fails_or_hangs_becomes_a_line_and_spoils_no_other(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    @notice
    async def hangs() -> list[str]:
        await asyncio.sleep(3600)
        return []

    @notice
    async def raises() -> list[str]:
        raise ConnectionError("redis://u:hunter2@cache is away")

    @notice
    async def says_why() -> list[str]:
        raise ResourceUnavailable("the cellar is flooded", code="shop.E001", hint="pump")

    @notice
    async def waits_itself() -> list[str]:
        raise TimeoutError("the mill said nothing for 3 s")

    @notice
    async def returns_rubbish() -> Any:
        return 7

    @notice
    async def one_text() -> Any:
        return "a text in place of a list"

    registry = make_registry(hangs, raises, says_why, waits_itself, returns_rubbish, one_text)
    async with running(registry, settings, Role.WEB) as container:
        lines = await read_notices(container, timeout_s=0.05)
    assert lines[:4] == (
        "hangs is not known: no answer within 0.05 s",
        "raises is not known: ConnectionError: redis://u:***@cache is away",
        "says_why is not known: the cellar is flooded",
        "waits_itself is not known: TimeoutError: the mill said nothing for 3 s",
    )
    assert lines[4].startswith("returns_rubbish is not known: TypeError")
    assert lines[5:] == ("a text in place of a list",)


async def test_an_ended_process_has_none_to_give(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    registry = make_registry(stock, shelves)
    async with running(registry, settings, Role.WEB) as container:
        pass
    (line,) = await read_notices(container)
    assert line.startswith("shelves is not known: the resource 'stock' is not open")


def test_only_an_async_function_can_be_one() -> None:
    with pytest.raises(ComponentError, match="'idle' is not an async function") as caught:

        @notice  # type: ignore[arg-type]
        def idle() -> list[str]:
            return []

    assert caught.value.code == "lifecycle.E014"
