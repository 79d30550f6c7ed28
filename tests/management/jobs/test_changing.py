"""`manage jobs retry`, `cancel` and `discard`: by ids, by a filter, and what they tell."""

from __future__ import annotations

import pytest

from fastforge.tasks import JobState

from .conftest import DEAD, DONE, REMIND, SEND, Jobs


def test_a_dead_job_is_retried_by_the_beginning_of_its_id(jobs: Jobs) -> None:
    uid = jobs.enqueue()
    jobs.ends(DEAD)
    result = jobs("retry", uid[:8])
    assert (result.code, result.out, result.err) == (0, f"{uid[:8]} is retried\n", "")
    assert (jobs.job(uid).state, jobs.job(uid).attempt) == (JobState.READY, 0)


def test_what_cannot_be_done_is_told_with_the_reason(jobs: Jobs) -> None:
    dead = jobs.enqueue()
    jobs.ends(DEAD)
    running = jobs.enqueue()
    jobs.begin()
    result = jobs("retry", running, dead)
    assert result.code == 1
    assert result.out.splitlines() == [
        f"{running[:8]} is not retried: it is running; retry is for dead and cancelled jobs",
        f"{dead[:8]} is retried",
    ]
    result = jobs("discard", running, "--json")
    assert result.code == 1
    assert result.out == (
        f'{{"id": "{running}", "task": "{SEND}", "action": "discard", "changed": false,'
        ' "reason": "it is running"}\n'
    )


def test_an_unknown_id_lets_nothing_happen_to_the_others(jobs: Jobs) -> None:
    uid = jobs.enqueue()
    jobs.ends(DEAD)
    assert jobs("retry", uid, "ffffffff").code == 1
    assert jobs.states() == ["DEAD"]


def test_waiting_jobs_are_cancelled_and_running_ones_told(jobs: Jobs) -> None:
    running = jobs.enqueue()
    jobs.begin()
    waiting = jobs.enqueue()
    result = jobs("cancel", running, waiting)
    assert result.out.splitlines() == [
        f"{running[:8]} is told to end; its worker hears of it within a second",
        f"{waiting[:8]} is cancelled",
    ]
    assert jobs.job(running).cancelling
    assert jobs.job(waiting).state is JobState.CANCELLED
    assert "  cancelling  " in jobs("list", running).out


def test_all_dead_jobs_of_a_task_in_one_command(jobs: Jobs) -> None:
    for task in (SEND, SEND, REMIND):
        jobs.enqueue(task)
    jobs.ends(DEAD)
    jobs.enqueue()
    result = jobs("retry", "--task", "send", "--all", "--yes")
    assert result.code == 0
    assert result.out == (
        "2 jobs are retried; 1 is left as they are, since retry is for dead and cancelled jobs\n"
    )
    assert jobs.states() == ["READY", "READY", "DEAD", "READY"]


def test_a_mass_change_in_json(jobs: Jobs) -> None:
    for _ in range(3):
        jobs.enqueue()
    jobs.ends(DEAD)
    (told,) = jobs.json("retry", "--state", "dead", "--limit", "2", "--yes")
    assert told == {"action": "retry", "count": 2, "left": 0}
    assert jobs.json("discard", "--all", "--yes") == [{"action": "discard", "count": 3, "left": 0}]
    assert jobs.states() == []


def test_nothing_to_change_is_no_mistake_and_asks_nobody(jobs: Jobs) -> None:
    jobs.enqueue()
    jobs.ends(DONE)
    result = jobs("cancel", "--all")
    assert result.code == 0
    assert result.out.startswith("0 jobs are cancelled; 1 is left")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("retry",),
            "[tasks.E083] `jobs retry` was not told which jobs; give ids, or a filter such as"
            " --task, or --all for all dead and cancelled jobs",
        ),
        (("discard", "--yes"), "[tasks.E083] `jobs discard` was not told which jobs; "),
        (("cancel", "--limit", "3"), "[tasks.E083] `jobs cancel` was not told which jobs; "),
        (
            ("retry", "--state", "done"),
            "[tasks.E085] `jobs retry` is for dead and cancelled jobs, and --state names no state"
            " of those; it may be dead, cancelled",
        ),
        (
            ("retry", "--all"),
            "[tasks.E086] `jobs retry` would change 1 job, and nobody is here to be asked;"
            " --yes does it without asking",
        ),
        (
            ("retry", "0a", "--task", "send"),
            "[tasks.E087] `jobs retry` was given ids and a filter; give one of the two",
        ),
        (("discard", "0a", "--all"), "[tasks.E087] `jobs discard` was given ids and a filter; "),
    ],
)
def test_what_is_not_plain_changes_nothing(
    arguments: tuple[str, ...], told: str, jobs: Jobs
) -> None:
    jobs.enqueue()
    jobs.ends(DEAD)
    result = jobs(*arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {told}")
    assert jobs.states() == ["DEAD"]
