"""Signals are heard on the event loop, unless they are ignored, and given back afterwards."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from typing import Any

import pytest

from fastforge.signals import (
    SIGNALS,
    ending_of,
    heard_signals,
    overheard_signals,
    remembered_termination,
)

from .processes import Process, start

PROGRAM = """
import asyncio, signal
from fastforge.signals import heard_signals

async def main():
    with heard_signals(lambda number: print("heard", number, flush=True), once={once}):
        print("ready", flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


def begun(*, once: bool, ignored: str = "") -> Process:
    program = [sys.executable, "-c", PROGRAM.format(once=once)]
    return start(["sh", "-c", f'trap "" {ignored}; exec "$@"', "sh", *program])


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in SIGNALS]


def test_each_signal_is_heard() -> None:
    with begun(once=False) as process:
        process.wait_for("ready")
        for number in (signal.SIGTERM, signal.SIGINT):
            process.send(number)
            process.wait_for(f"heard {number:d}\n")
        assert process.alive


@pytest.mark.parametrize("second", SIGNALS)
def test_the_second_one_ends_the_process_where_that_is_wanted(second: signal.Signals) -> None:
    with begun(once=True) as process:
        process.wait_for("ready")
        process.terminate()
        process.wait_for("heard 15")
        process.send(second)
        assert process.wait() == -second


@pytest.mark.parametrize("once", [False, True])
def test_what_is_ignored_stays_ignored(once: bool) -> None:
    with begun(once=once, ignored="INT") as process:
        process.wait_for("ready")
        process.send(signal.SIGINT)
        process.terminate()
        process.wait_for("heard 15")
        process.send(signal.SIGINT)
        process.terminate()
        if once:
            assert process.wait() == -signal.SIGTERM
        assert "heard 2" not in process.output


def test_afterwards_all_is_as_before() -> None:
    async def main() -> None:
        before = handlers()
        with heard_signals(lambda number: None):
            assert set(handlers()).isdisjoint(before)
        assert handlers() == before

    before = handlers()
    asyncio.run(main())
    assert handlers() == before


def test_outside_of_the_main_thread_none_is_heard() -> None:
    before = handlers()
    during: list[object] = []

    async def main() -> None:
        with heard_signals(lambda number: None):
            during.extend(handlers())

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    thread.join()
    assert during == before


def test_a_termination_before_the_loop_is_heard_on_it() -> None:
    heard: list[int] = []

    async def main() -> None:
        with heard_signals(heard.append):
            pass

    before = handlers()
    with remembered_termination():
        signal.raise_signal(signal.SIGTERM)
        assert heard == []
        asyncio.run(main())
    assert heard == [signal.SIGTERM]
    assert handlers() == before


def test_without_a_loop_the_handlers_are_given_back() -> None:
    before = handlers()
    with remembered_termination():
        assert handlers() != before
    assert handlers() == before


def test_the_second_termination_before_the_loop_ends_the_process() -> None:
    program = (
        "import signal\nfrom fastforge.signals import remembered_termination\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n"
        "with remembered_termination():\n    print('ready', flush=True)\n"
        "    signal.sigwait([signal.SIGUSR1])\n    print('alive', flush=True)\n    signal.pause()"
    )
    with start([sys.executable, "-c", program]) as process:
        process.wait_for("ready")
        process.terminate()
        process.send(signal.SIGUSR1)
        process.wait_for("alive")
        process.terminate()
        assert process.wait() == -signal.SIGTERM


def test_what_another_server_takes_is_heard_as_well_and_it_goes_on_taking_it() -> None:
    taken: list[int] = []
    heard: list[str] = []

    async def main() -> None:
        heard_once = asyncio.Event()
        with overheard_signals(lambda: heard.append("stop") or heard_once.set()):
            signal.raise_signal(signal.SIGTERM)
            await asyncio.wait_for(heard_once.wait(), 60)
        signal.raise_signal(signal.SIGTERM)
        await asyncio.sleep(0)

    before = signal.signal(signal.SIGTERM, lambda number, frame: taken.append(number))
    try:
        asyncio.run(main())
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (taken, heard) == ([signal.SIGTERM] * 2, ["stop"])


def test_what_nobody_takes_or_a_server_of_ours_is_left_to_them() -> None:
    def ours(number: int, frame: object) -> None: ...

    ours.__module__ = "fastforge.server.drain"

    async def main() -> None:
        for handler in (signal.SIG_DFL, signal.SIG_IGN, ours):
            signal.signal(signal.SIGTERM, handler)
            with overheard_signals(lambda: None):
                assert signal.getsignal(signal.SIGTERM) is handler

    before = signal.getsignal(signal.SIGTERM)
    try:
        asyncio.run(main())
    finally:
        signal.signal(signal.SIGTERM, before)


def test_where_somebody_has_come_after_us_they_are_left_and_may_ask_us() -> None:
    taken: list[int] = []

    async def main() -> None:
        with overheard_signals(lambda: None):
            asked = signal.getsignal(signal.SIGTERM)
            assert callable(asked)

            def after(number: int, frame: Any) -> None:
                asked(number, frame)

            signal.signal(signal.SIGTERM, after)
        assert signal.getsignal(signal.SIGTERM) is after

    before = signal.signal(signal.SIGTERM, lambda number, frame: taken.append(number))
    try:
        asyncio.run(main())
        signal.raise_signal(signal.SIGTERM)  # the loop is closed
    finally:
        signal.signal(signal.SIGTERM, before)
    assert taken == [signal.SIGTERM]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (3, "ended with code 3"),
        (-signal.SIGKILL, "was killed by SIGKILL"),
        # Python has names for the first and the last of the real-time signals alone.
        (-(signal.SIGRTMIN + 1), f"was killed by signal {signal.SIGRTMIN + 1:d}"),
    ],
)
def test_the_end_of_a_process_is_told_whatever_it_was(code: int, told: str) -> None:
    assert ending_of(code) == told
