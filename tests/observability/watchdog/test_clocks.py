"""What the system says of a thread and of its control group."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from fastforge.observability.watchdog.clocks import ThreadClock, Throttling
from tests.processes import wait_until

V1 = "nr_periods 10\nnr_throttled 3\nthrottled_time 2500000000\n"
V2 = "usage_usec 7\nnr_periods 10\nnr_throttled 3\nthrottled_usec 2500000\n"


@pytest.mark.parametrize(
    ("file", "text"),
    [("cpu.stat", V2), ("cpu/cpu.stat", V1), ("cpu,cpuacct/cpu.stat", V1)],
)
def test_the_time_for_which_a_control_group_was_throttled_is_read(
    tmp_path: Path, file: str, text: str
) -> None:
    path = tmp_path / "sys/fs/cgroup" / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert Throttling(tmp_path).total_s() == 2.5
    path.unlink()


def test_a_system_that_says_nothing_throttles_nobody(tmp_path: Path) -> None:
    assert Throttling(tmp_path).total_s() == 0
    file = tmp_path / "sys/fs/cgroup/cpu.stat"
    file.parent.mkdir(parents=True)
    file.write_text("nr_throttled\nthrottled_usec many\n")
    assert Throttling(tmp_path).total_s() == 0


def test_a_thread_is_looked_at_from_another_one_and_after_its_end() -> None:
    clocks: list[ThreadClock] = []
    stop = threading.Event()

    def work() -> None:
        clocks.append(ThreadClock())
        while not stop.is_set():
            sum(range(1000))

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: clocks)
    [clock] = clocks
    before = clock.look()
    wait_until(lambda: clock.look().process_s > before.process_s)
    if sys.platform == "linux":
        wait_until(lambda: clock.look().thread_s > before.thread_s)
        wait_until(lambda: clock.look().is_ready)
    stop.set()
    thread.join()
    after = clock.look()
    assert after.at <= time.monotonic()
    wait_until(lambda: not clock.look().is_ready)
    clock.close()
    assert not clock.look().is_ready
