"""A process that stops closes its sockets evenly over some seconds, where no server does."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from fastforge.channels.serving.farewell import SPREAD_S, Farewell


class Socket:
    """One that is open, and whose server does not close it."""

    awaits_farewell = True

    def close(self, code: int, reason: str) -> None:
        assert (code, reason) == (1012, "restart")
        self.awaits_farewell = False


def process(count: int, environment: str = "production") -> tuple[Any, list[Socket], Farewell]:
    settings = SimpleNamespace(environment=environment)
    container: Any = SimpleNamespace(draining=False, settings=settings)
    sockets = [Socket() for _ in range(count)]
    hub: Any = SimpleNamespace(sockets=sockets)
    return container, sockets, Farewell(container, hub)


def left(sockets: list[Socket]) -> int:
    return sum(socket.awaits_farewell for socket in sockets)


def test_they_are_closed_evenly_from_the_moment_of_the_stop_on() -> None:
    container, sockets, farewell = process(10)
    farewell.tick(0)
    container.draining = True
    stayed = []
    for step in range(11):
        farewell.tick(100 + step / 10 * SPREAD_S)
        stayed.append(left(sockets))
    assert stayed == pytest.approx([10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0], abs=1)
    assert stayed[-1] == 0


def test_those_that_have_gone_by_themselves_count_and_one_that_comes_late_is_closed() -> None:
    container, sockets, farewell = process(10)
    container.draining = True
    farewell.tick(0)
    for socket in sockets[:8]:
        socket.awaits_farewell = False
    farewell.tick(SPREAD_S / 2)
    assert left(sockets) == 2  # five might have been left
    farewell.tick(SPREAD_S)
    sockets.append(Socket())
    farewell.tick(SPREAD_S + 1)
    assert left(sockets) == 0


def test_in_development_nobody_waits() -> None:
    container, sockets, farewell = process(3, "development")
    container.draining = True
    farewell.tick(0)
    assert left(sockets) == 0
