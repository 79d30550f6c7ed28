"""Whatever is killed with -9, no job is lost and all are soon done."""

from __future__ import annotations

import json
import logging
import random
import time
from collections import Counter

import pytest

from tests.processes import Process, fetch, free_port, wait_until

from .conftest import Place
from .office import Office

logger = logging.getLogger(__name__)

BACKENDS = ("sqlite", "postgres", "redis")
RECOVERED_S = 30
JOB_S = 1
KILLS = 5
SLACK_S = 5
"""For a busy machine: to start the second worker, to run a hundred jobs."""


def once(numbers: range) -> Counter[int]:
    return Counter(dict.fromkeys(numbers, 1))


@pytest.mark.long
@pytest.mark.parametrize("place", BACKENDS, indirect=True)
def test_the_jobs_of_a_killed_worker_are_done_within_30_s_and_their_time(place: Place) -> None:
    """At the default lease, and although one task of the project may take six hours."""
    office = place.office
    enqueue(office, f"tasks.slow.enqueue(number=n, seconds={JOB_S})", 100)
    with office.worker() as first:
        wait_until(lambda: len(office.logged("begin")) == 100, describe=first)
        first.kill()
        first.wait()
    killed_at = time.monotonic()
    running = 100 - len(office.logged("end"))
    assert running > 50
    with office.worker() as second:
        wait_until(
            lambda: len(office.logged("end")) == 100,
            describe=second,
            deadline_s=RECOVERED_S + JOB_S + SLACK_S,
        )
    took_s = time.monotonic() - killed_at
    assert office.logged("end") == once(range(100))
    logger.info("%d ran when the worker was killed, all were done after %.1f s", running, took_s)


@pytest.mark.parametrize(
    ("place", "count"),
    [
        pytest.param("redis", 20, id="redis"),
        *(pytest.param(name, 1000, id=f"{name}-1000", marks=pytest.mark.long) for name in BACKENDS),
    ],
    indirect=["place"],
)
def test_a_committed_request_has_its_job_and_a_rolled_back_one_has_none(
    place: Place, count: int
) -> None:
    """The server dies again and again, most often between the commit and the forwarding."""
    office, port = place.office, free_port()
    choose = random.Random(7)
    with office.worker() as worker:
        acknowledged = []
        server = served(office, port)
        deaths = 0
        for number in range(count):
            status = status_of(port, number)
            if status is None:
                server.close()
                deaths += 1
                server = served(office, port)
            elif status == 200:
                acknowledged.append(number)
            if choose.random() < KILLS / count:
                server.kill()  # at whatever it does
        server.close()
        with served(office, port, dying="-1") as healthy:
            answer = wait_until(lambda: fetch(f"http://127.0.0.1:{port}/orders"), describe=healthy)
            committed = set(json.loads(answer.body))
        wait_until(lambda: set(office.logged("end")) >= committed, describe=worker)
        worker.terminate()
        assert worker.wait() == 0, worker.output
    assert set(acknowledged) <= committed
    assert set(office.logged("begin")) == committed
    assert office.logged("begin") == Counter(dict.fromkeys(committed, 1))
    assert deaths >= count / 10


def served(office: Office, port: int, dying: str = "3") -> Process:
    """A server that answers; it dies of every tenth order, that with this last digit."""
    server = office.server(port, DYING=dying)
    wait_until(lambda: fetch(f"http://127.0.0.1:{port}/livez"), describe=server)
    return server


def status_of(port: int, number: int) -> int | None:
    """What the order was answered with; None where the server died over it."""
    answer = fetch(f"http://127.0.0.1:{port}/orders/{number}", method="POST")
    return None if answer is None else answer.status


def enqueue(office: Office, call: str, count: int) -> None:
    """Enqueue jobs whose number is `n`."""
    office.enqueue(f"for n in range({count}):\n    await {call}")
