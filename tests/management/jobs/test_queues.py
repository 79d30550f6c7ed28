"""`manage jobs pause`, `resume`, `stats` and `workers`."""

from __future__ import annotations

import re
from datetime import timedelta

from fastforge.tasks import Clock

from .conftest import DEAD, DONE, REMIND, Jobs


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_queues_in_numbers_also_those_without_jobs(jobs: Jobs, clock: Clock) -> None:
    for outcome in (DEAD, DONE):
        jobs.enqueue()
        jobs.ends(outcome)
    jobs.enqueue()
    jobs.begin()
    jobs.enqueue()
    jobs.enqueue()
    jobs.enqueue(delay_s=100)
    clock.advance(timedelta(seconds=42))
    result = jobs("stats")
    assert (result.code, result.err) == (0, "")
    assert rows(result.out) == [
        ["QUEUE", "READY", "SCHEDULED", "HELD", "RUNNING", "DEAD", "OLDEST", "DONE/MIN", "STATE"],
        ["default", "2", "1", "0", "1", "1", "42", "s", "1"],
        ["mail", "0", "0", "0", "0", "0", "0"],
    ]
    (mail,) = jobs.json("stats", "--queue", "mail")
    assert mail == {
        "queue": "mail",
        "ready": 0,
        "scheduled": 0,
        "held": 0,
        "running": 0,
        "done": 0,
        "dead": 0,
        "cancelled": 0,
        "oldest_ready_s": None,
        "done_a_minute": 0,
        "paused": False,
    }


def test_a_queue_is_paused_and_resumed(jobs: Jobs) -> None:
    jobs.enqueue(REMIND, queue="mail")
    assert jobs("pause", "mail").out == "mail is paused\n"
    assert jobs("pause", "mail").out == "mail was paused already\n"
    assert jobs.begin(queue="mail") == []
    assert jobs("stats").out.splitlines()[-1].endswith("paused")
    assert jobs.json("resume", "mail") == [{"queue": "mail", "paused": False, "changed": True}]
    assert jobs("resume", "mail").out == "mail was not paused already\n"
    assert len(jobs.begin(queue="mail")) == 1


def test_an_unknown_queue_is_told_with_the_nearest(jobs: Jobs) -> None:
    for command in ("pause", "resume"):
        result = jobs(command, "mial")
        assert (result.code, result.out) == (2, "")
        assert result.err.endswith("did you mean 'mail'?\n")
    assert jobs("stats", "--queue", "x").err.endswith("; there are default, mail\n")


def test_a_queue_that_only_a_worker_takes_from_can_be_paused(jobs: Jobs) -> None:
    jobs.beat(queues=("attic",))
    assert jobs("pause", "attic").out == "attic is paused\n"


def test_workers_and_what_they_do(jobs: Jobs, clock: Clock) -> None:
    jobs.beat("w1", pid=7)
    clock.advance(timedelta(minutes=5))
    jobs.beat("w2", host="host-2", queues=("mail",), running=0)
    result = jobs("workers", "--fail-if-none")
    assert (result.code, result.err) == (0, "")
    assert [re.split(r"  +", line.strip()) for line in result.out.splitlines()] == [
        ["HOST", "PID", "QUEUES", "RUNNING", "VERSION", "UP", "BEAT", "STATE"],
        ["host-1", "7", "default, mail", "3/20", "1.2", "3 h", "5 min ago", "silent"],
        ["host-2", "42", "mail", "0/20", "1.2", "3 h", "0 s ago", "alive"],
    ]
    first, second = jobs.json("workers")
    assert list(first) == [
        "id",
        "host",
        "pid",
        "queues",
        "running",
        "concurrency",
        "version",
        "started_at",
        "beat_at",
        "alive",
    ]
    assert (first["id"], first["alive"], second["alive"]) == ("w1", False, True)


def test_no_worker_may_be_a_failure(jobs: Jobs, clock: Clock) -> None:
    note = "note: no worker is alive: jobs wait; `runworker` starts one\n"
    result = jobs("workers")
    assert (result.code, result.out, result.err) == (0, "", note)
    assert jobs("workers", "--fail-if-none").code == 1
    jobs.beat()
    assert jobs("workers", "--fail-if-none").code == 0
    clock.advance(timedelta(minutes=5))
    result = jobs("workers", "--fail-if-none")
    assert (result.code, result.err) == (1, note)
    assert "silent" in result.out


def test_memory_of_another_process_is_told_of(jobs: Jobs) -> None:
    from fastforge.test.commands import run_command

    result = run_command(jobs.project, "jobs", "stats")
    assert result.error == (
        "note: TASKS.backend is 'memory': other processes keep their jobs to themselves\n"
    )
