"""A client that takes what waits for it, however slowly, is kept; one that takes nothing is not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fastforge.server.protocol.websocket.stall import Stall
from tests.processes import wait_until_async

LIMIT_S = 0.001


class Taken:
    """A transport of whose buffer so much is taken between two looks."""

    def __init__(self, *, takes: int) -> None:
        self.waiting = 1_000_000
        self.looks = 0
        self._takes = takes

    def get_write_buffer_size(self) -> int:
        self.looks += 1
        self.waiting -= self._takes
        return self.waiting

    def get_extra_info(self, name: str) -> None:
        return None


def stalled(transport: Any, given_up: list[str], **limits: float) -> Stall:
    loop = asyncio.get_running_loop()
    return Stall(loop, transport, limit_s=LIMIT_S, give_up=lambda: given_up.append("cut"), **limits)


async def test_a_slow_client_is_kept() -> None:
    given_up: list[str] = []
    transport = Taken(takes=1)
    stall = stalled(transport, given_up)
    await wait_until_async(lambda: transport.looks > 20)
    stall.stop()
    assert given_up == []


@pytest.mark.parametrize(("takes", "limits"), [(0, {}), (1, {"in_all_s": 10 * LIMIT_S})])
async def test_one_that_takes_nothing_or_too_long_over_all_of_it_is_given_up_once(
    takes: int, limits: dict[str, float]
) -> None:
    given_up: list[str] = []
    transport = Taken(takes=takes)
    stalled(transport, given_up, **limits)
    await wait_until_async(lambda: given_up)
    looks = transport.looks
    await asyncio.sleep(10 * LIMIT_S)
    assert (given_up, transport.looks) == (["cut"], looks)
