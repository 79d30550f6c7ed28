"""The connections of tests: one for each event loop that lasts, closed when that ends."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from fastforge.contrib.db.testing.homes import Homes
from fastforge.contrib.db.testing.kept import KeptConnections
from fastforge.contrib.db.testing.setup import _kept_by
from fastforge.test.loops import Loop


def _run(runner: asyncio.Runner, function: Any) -> Any:
    return runner.run(function())


def test_two_loops_that_take_turns_keep_their_own() -> None:
    """As with anyio and pytest-asyncio in one suite, where each has a loop for the session."""
    kept: dict[Loop, KeptConnections] = {}
    used: list[KeptConnections] = []
    with asyncio.Runner() as first, asyncio.Runner() as second:
        loops = [Loop(partial(_run, runner)) for runner in (first, second)]
        with loops[0].closing():
            with loops[1].closing():
                for loop in loops * 3:
                    with _kept_by(loop, Homes({}, {}), kept) as connections:
                        used.append(connections)
            assert list(kept) == loops[:1]
    assert used == used[:2] * 3
    assert not kept
