"""The watchdog names what blocks an event loop, on both loops, and nothing where nothing does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import pytest
import uvloop

from fastforge.observability.watchdog.settings import Watchdog
from fastforge.observability.watchdog.watch import Watch, is_debugged
from tests.processes import wait_until, wait_until_async

from .blocks import KINDS, block_by_sleeping
from .conftest import Said

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
each_loop = pytest.mark.parametrize("loop", LOOPS)


@contextmanager
def running_on(loop: str) -> Iterator[asyncio.Runner]:
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        yield runner


@asynccontextmanager
async def watched(lags: list[float], **settings: Any) -> AsyncIterator[Watch]:
    watch = Watch(Watchdog(**{"report_every_s": 0, **settings}), lambda scope: None, lags.append)
    watch.start()
    try:
        await asyncio.sleep(0.05)
        yield watch
    finally:
        watch.stop()


async def named(kind: Callable[[float], None], seconds: float, said: Said) -> dict[str, Any]:
    """Block, and return what was said of it in the end.

    Again, where the machine had no time for it: that is what is told then.
    """
    said.lines.clear()

    async def blocked() -> dict[str, Any] | None:
        kind(seconds)
        await asyncio.sleep(0.1)
        return next(iter(said.of("event_loop_blocked")), None)

    return await wait_until_async(blocked)


@each_loop
def test_each_kind_of_blocking_is_named_by_the_line_that_does_it(loop: str, said: Said) -> None:
    async def block() -> None:
        async with watched([]):
            for kind in KINDS:
                line = await named(kind, 0.4, said)
                assert line["function"].startswith(kind.__name__), line
                assert line["file"].endswith("blocks.py")
                first = kind.__code__.co_firstlineno
                assert first < line["line"] < first + 7
                assert line["duration_s"] >= 0.2
                assert line["samples"] >= 1
                assert len(line["stack"]) <= 16

    with running_on(loop) as runner:
        runner.run(block())


@pytest.mark.long
def test_the_line_is_right_in_119_of_120_blocks(said: Said) -> None:
    async def block() -> list[str]:
        wrong = []
        async with watched([]):
            for number in range(60):
                kind = KINDS[number % len(KINDS)]
                said.lines.clear()
                kind((0.2, 0.25, 0.3, 0.4)[number % 4])
                with suppress(TimeoutError):
                    async with asyncio.timeout(5):
                        while not said.lines:
                            await asyncio.sleep(0.05)
                functions = [line.get("function", "") for line in said.lines]
                if not any(kind.__name__ in function for function in functions):
                    wrong.append(f"{kind.__name__}: {said.lines}")
        return wrong

    wrong = []
    for loop in LOOPS:
        with running_on(loop) as runner:
            wrong += runner.run(block())
    assert len(wrong) <= 1, wrong


@pytest.mark.parametrize("seconds", [3, pytest.param(60, marks=pytest.mark.long)])
@each_loop
def test_nothing_is_said_of_a_loop_that_is_busy_and_goes_on(
    loop: str, seconds: float, said: Said
) -> None:
    async def work() -> int:
        end, rounds, lags = time.monotonic() + seconds, 0, list[float]()
        async with watched(lags):
            while time.monotonic() < end:
                sum(range(20_000))
                await asyncio.sleep(0.0001)
                rounds += 1
            assert len(lags) > seconds
        return rounds

    with running_on(loop) as runner:
        assert runner.run(work()) > 100
    assert said.of("event_loop_blocked") == []


def test_a_block_is_told_of_while_it_lasts_and_after_it(said: Said) -> None:
    async def block() -> None:
        async with watched([], lasting_s=(0.2, 0.4)):
            block_by_sleeping(0.8)
            await wait_until_async(lambda: len(said.lines) >= 3)

    asyncio.run(block())
    assert [line.get("lasts", False) for line in said.lines] == [True, True, False]
    durations = [line["duration_s"] for line in said.lines]
    assert durations == sorted(durations)
    assert {line["line"] for line in said.lines} == {said.lines[0]["line"]}


def test_a_line_is_told_of_once_in_a_while_and_what_was_left_out_is_counted(said: Said) -> None:
    def block_again() -> None:
        time.sleep(0.25)

    async def block() -> None:
        async with watched([], report_every_s=60) as watch:
            for _ in range(2):
                block_again()
                await asyncio.sleep(0.1)
            await wait_until_async(lambda: said.lines)
            watch.reports._every_s = 0
            block_again()
            await wait_until_async(lambda: len(said.lines) == 2)

    asyncio.run(block())
    assert said.lines[1]["repeated"] == 1
    assert said.lines[1]["repeated_s"] > 0.1


def test_code_that_was_not_written_here_is_named_with_who_called_it(said: Said) -> None:
    async def block() -> None:
        async with watched([]):
            line = await named(Waits().wait, 0.3, said)
            assert line["function"].endswith("Waits.wait")
            assert "threading.py" in line["innermost"]

    class Waits:
        def wait(self, seconds: float) -> None:
            import threading

            threading.Event().wait(seconds)

    asyncio.run(block())


def test_small_parts_that_block_together_are_nobodys_fault(said: Said) -> None:
    async def part() -> None:
        block_by_sleeping(0.02)

    async def work() -> None:
        lags: list[float] = []
        async with watched(lags):
            await asyncio.gather(*(part() for _ in range(20)))  # all of them before the next beat
            await wait_until_async(lambda: any(lag_s > 0.3 for lag_s in lags))

    asyncio.run(work())
    assert said.of("event_loop_blocked") == []


def test_the_collector_is_told_apart(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        """Is slow to be collected: as a large heap is."""

        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            time.sleep(0.3)

    import gc

    async def block() -> None:
        async with watched([]):
            Slow()
            gc.collect()
            await wait_until_async(lambda: said.lines)

    asyncio.run(block())
    assert [line["event"] for line in said.lines] == ["garbage_collection_paused"]
    assert said.lines[0]["collected_s"] >= 0.2


def test_a_loop_that_waits_for_other_threads_is_not_blamed(said: Said) -> None:
    import sys
    import threading

    stop = threading.Event()

    def compute() -> None:
        while not stop.is_set():
            sum(range(1000))

    async def wait() -> None:
        interval = sys.getswitchinterval()
        async with watched([], threshold_s=0.2):
            sys.setswitchinterval(0.3)
            try:
                for _ in range(3):
                    await asyncio.sleep(0.01)
            finally:
                sys.setswitchinterval(interval)

    # Started and joined outside of the watch: on a busy machine the loop may wait for that itself.
    threads = [threading.Thread(target=compute) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        asyncio.run(wait())
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert said.of("event_loop_blocked") == []


def test_a_watch_can_be_stopped_and_leaves_no_thread_and_no_callback() -> None:
    import gc
    import threading

    before = list(gc.callbacks)

    async def watch() -> None:
        async with watched([]):
            pass

    asyncio.run(watch())
    assert gc.callbacks == before
    wait_until(lambda: "fastforge-watchdog" not in [each.name for each in threading.enumerate()])


def test_a_debugger_is_noticed_and_what_measures_coverage_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import sys

    class Tracer:
        __module__ = "coverage.tracer"

    monkeypatch.setattr(sys, "gettrace", lambda: None)
    assert not is_debugged()
    monkeypatch.setattr(sys, "gettrace", Tracer)
    assert not is_debugged()
    monkeypatch.setattr(sys, "gettrace", lambda: lambda frame, event, argument: None)
    assert is_debugged()
