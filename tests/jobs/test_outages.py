"""A server that goes away while jobs end takes nothing along, and nothing runs again."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from tests.processes import wait_until

from .conftest import Place
from .test_kills import enqueue

AWAY_S = 10
JOB_S = 3


@pytest.mark.parametrize(
    ("place", "away_s"),
    [
        pytest.param("redis", 2, id="redis"),
        pytest.param("postgres", 2, id="postgres"),
        pytest.param("redis", AWAY_S, id="redis-10-s", marks=pytest.mark.long),
        pytest.param("postgres", AWAY_S, id="postgres-10-s", marks=pytest.mark.long),
    ],
    indirect=["place"],
)
def test_jobs_that_end_while_the_server_is_away_are_done_once(place: Place, away_s: float) -> None:
    office, server = place.office, place.server
    assert server is not None
    enqueue(office, f"tasks.slow.enqueue(number=n, seconds={JOB_S})", 20)
    with office.worker() as worker:
        wait_until(lambda: len(office.logged("begin")) == 20, describe=worker)
        server.stop()
        wait_until(lambda: len(office.logged("end")) == 20, describe=worker)
        time.sleep(away_s)
        server.start()
        enqueue(office, "tasks.work.enqueue(number=100 + n)", 5)
        wait_until(lambda: len(office.logged("end")) == 25, describe=worker)
        worker.wait_for("the task backend works again")
        worker.terminate()
        assert worker.wait() == 0, worker.output
        output = worker.output
    numbers = [*range(20), *range(100, 105)]
    assert office.logged("begin") == office.logged("end") == Counter(dict.fromkeys(numbers, 1))
    told = [line for line in output.splitlines() if "task backend" in line]
    assert len(told) == 2, output
