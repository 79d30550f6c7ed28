"""The long proofs: each restart five times in a row, killed processes, a steady load for long."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.processes import descendants

from .conftest import Lab

pytestmark = pytest.mark.long

TIMES = 5
SAMPLE_S = 0.5
HARMLESS = "refused with 503"
"""What a web socket is told by a process that stops; its client comes again."""

IN_PRODUCTION = """
    from fastforge.core.settings import Server

    SECRET_KEY = "only-for-these-tests-0123456789abcdef0123456789abcdef"
    INSTALLED_APPS = ["shop.orders"]
    SERVER = Server(drain_s=3, linger_s=1, graceful_s=10)
    """
SLOW_TO_OPEN = """
    import asyncio

    from fastforge import resource


    @resource()
    async def cellar():
        yield "cellar"


    @resource(needs=(cellar,))
    async def house():
        await asyncio.sleep(0.4)
        yield "house"


    @resource(needs=(house,))
    async def roof():
        await asyncio.sleep(0.4)
        yield "roof"
    """


@pytest.fixture
def production(lab: Lab) -> Lab:
    """The project with limits that fit clients which come for 2 seconds after the signal."""
    lab.folder.write({"shop/settings.py": IN_PRODUCTION})
    return lab


@pytest.mark.parametrize(
    ("what", "workers", "processes"),
    [("term", 1, 1), ("term", 2, 2), ("hup", 2, 4), ("recycle", 2, 4)],
)
def test_five_restarts_in_a_row_lose_no_request(
    production: Lab, what: str, workers: int, processes: int
) -> None:
    arguments = ("--workers", str(workers), "--lag-s", "2", "--max-requests", "300")
    reports = production.reports(what, *arguments, "--times", str(TIMES), deadline_s=900)
    assert [report["problems"] for report in reports] == [[]] * TIMES
    for report in reports:
        assert report["requests"]["ok"] > 200
        assert {*report["sockets"]} - {HARMLESS} == {"1012"}
        assert len(report["lives"]) >= processes
        assert {life["closed_in_reverse"] for life in report["lives"]} == {True}
        assert {life["closed"][:3] == ["roof", "house", "cellar"] for life in report["lives"]} == {
            True
        }
        assert report["tracebacks"] == 0
        assert report["stops"][0]["exit_code"] == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_a_start_that_is_interrupted_ends_at_once_and_closes_what_was_open(
    production: Lab, workers: int
) -> None:
    production.folder.write({"shop/orders/resources.py": SLOW_TO_OPEN})
    reports = production.reports(
        "start", "--workers", str(workers), "--times", str(TIMES), deadline_s=900
    )
    assert [report["problems"] for report in reports] == [[]] * TIMES
    lives = [life for report in reports for life in report["lives"]]
    assert any(life["closed"] and not life["running"] for life in lives)
    assert {life["closed_in_reverse"] for life in lives} == {True}


def test_a_process_that_is_killed_is_replaced_and_the_others_serve(production: Lab) -> None:
    (report,) = production.reports("kill", "--workers", "2", "--rounds", "5", deadline_s=300)
    assert report["problems"] == []
    assert len(report["killed"]) == 5
    assert max(report["replaced_s"]) < 4
    assert {*report["sockets"]} - {HARMLESS} == {"1012", "lost"}


Samples = dict[int, list[tuple[int, int]]]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts by /proc")
def test_a_steady_load_with_a_restart_every_3_minutes_loses_nothing_and_grows_nowhere(
    production: Lab,
) -> None:
    """FASTFORGE_SOAK_S makes it shorter than half an hour; it is always ten restarts."""
    whole_s = float(os.environ.get("FASTFORGE_SOAK_S", "1800"))
    rounds = 10
    arguments = ("hup", "--workers", "2", "--rounds", str(rounds), "--think-s", "0.05")
    pause = ("--pause-s", f"{whole_s / rounds:g}", "--json")
    samples: Samples = defaultdict(list)
    with production.started(*arguments, *pause) as command:
        while command.alive:
            sample(command.pid, samples)
            time.sleep(SAMPLE_S)
        (report,) = production.read(command.output)
    assert report["problems"] == []
    assert len(report["replaced_s"]) == rounds
    assert report["requests"]["failures"] == {}
    assert_flat(samples, {life["pid"] for life in report["lives"]})


def sample(command: int, samples: Samples) -> None:
    """Note the memory, in KiB, and the number of open files of each process of the server."""
    for pid in descendants(command):
        try:
            status = Path(f"/proc/{pid}/status").read_text()
            memory = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
            samples[pid].append((int(memory.split()[1]), len(os.listdir(f"/proc/{pid}/fd"))))
        except (OSError, StopIteration):
            continue  # it has ended


def assert_flat(samples: Samples, workers: set[int]) -> None:
    """Whether the manager, and each generation of workers, needs no more than those before."""
    manager = max(samples.keys() - workers, key=lambda pid: len(samples[pid]))
    early, late = halves(samples[manager])
    assert peak(late, 1) <= peak(early, 1) + 2, "the manager opens more and more files"
    assert peak(late, 0) <= peak(early, 0) * 1.1, "the manager needs more and more memory"
    generations = [samples[pid] for pid in samples if pid in workers and len(samples[pid]) > 5]
    first, last = halves(generations)
    for index, allowed in ((0, 1.1), (1, 1.2)):
        before = max(peak(each, index) for each in first)
        after = max(peak(each, index) for each in last)
        assert after <= before * allowed, (index, before, after)


def halves(values: list[Any]) -> tuple[list[Any], list[Any]]:
    return values[: len(values) // 2], values[len(values) // 2 :]


def peak(samples: list[tuple[int, int]], index: int) -> int:
    return max(each[index] for each in samples)
