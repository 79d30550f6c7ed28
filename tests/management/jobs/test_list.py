"""`manage jobs list`: which jobs are shown, and how."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from fastforge.tasks import AttemptError, Clock, Outcome, Verdict
from fastforge.tasks.envelope import new_uid

from .conftest import DEAD, DONE, REMIND, SEND, Jobs


def ids(jobs: Jobs, *arguments: str) -> list[str]:
    return [job["id"] for job in jobs.json("list", *arguments)]


def test_a_table_shows_the_newest_first(jobs: Jobs, clock: Clock) -> None:
    dead = jobs.enqueue(max_attempts=3)
    jobs.ends(DEAD)
    clock.advance(timedelta(hours=2, minutes=5))
    running = jobs.enqueue(REMIND, queue="mail")
    jobs.begin(queue="mail")
    clock.advance(timedelta(seconds=30))
    later = jobs.enqueue(delay_s=3605)
    result = jobs("list")
    assert (result.code, result.err) == (0, "")
    header, *rows = [re.split(r"  +", line) for line in result.out.splitlines()]
    assert header == ["ID", "TASK", "QUEUE", "STATE", "TRIES", "WHEN", "LAST ERROR"]
    assert rows == [
        [later[:8], SEND, "default", "ready", "0/10", "in 1 h"],
        [running[:8], REMIND, "mail", "running", "1/10", "for 30 s"],
        [dead[:8], SEND, "default", "dead", "1/3", "2 h ago", "Refused: the card is refused"],
    ]


def test_fifty_are_shown_and_how_many_more_there_are(jobs: Jobs) -> None:
    for _ in range(52):
        jobs.enqueue()
    result = jobs("list")
    assert len(result.out.splitlines()) == 51
    assert result.err == "note: 2 more; --limit 52 shows them\n"
    assert jobs("list", "--limit", "52").err == ""
    assert len(jobs.json("list", "--limit", "7")) == 7


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--task", SEND), "dead later"),
        (("--task", "remind"), "mail"),
        (("--task", "remind", "--task", "send"), "dead mail later"),
        (("--queue", "mail"), "mail"),
        (("--state", "dead"), "dead"),
        (("--state", "dead", "--state", "ready"), "dead mail later"),
        (("--since", "30min"), "mail later"),
        (("--since", "1h30min"), "dead mail later"),
        (("--since", "1.5h", "--until", "10 s"), "dead mail"),
        (("--until", "30m", "--queue", "mail"), ""),
    ],
)
def test_filters_leave_jobs_out(
    options: tuple[str, ...], found: str, jobs: Jobs, clock: Clock
) -> None:
    uids = {"dead": jobs.enqueue()}
    jobs.ends(DEAD)
    clock.advance(timedelta(hours=1))
    uids["mail"] = jobs.enqueue(REMIND, queue="mail")
    clock.advance(timedelta(minutes=1))
    uids["later"] = jobs.enqueue(delay_s=100)
    assert ids(jobs, *options) == [uids[name] for name in found.split()][::-1]


def test_the_jobs_of_a_batch(jobs: Jobs) -> None:
    batch = new_uid()
    uid = jobs.enqueue(batch=batch)
    jobs.enqueue()
    assert ids(jobs, "--batch", batch) == [uid]
    assert ids(jobs, "--batch", batch.replace("-", "").upper()) == [uid]
    result = jobs("list", "--batch", batch[:8])
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: [tasks.E077] there is no batch '{batch[:8]}'; ")


def test_json_is_one_object_a_line_with_these_names(jobs: Jobs) -> None:
    uid = jobs.enqueue(headers={"request_id": "r-1"}, payload={"token": "s3cret"})
    jobs.ends(DEAD)
    (job,) = jobs.json("list")
    assert list(job) == [
        "id",
        "task",
        "queue",
        "state",
        "attempt",
        "max_attempts",
        "priority",
        "run_at",
        "enqueued_at",
        "started_at",
        "finished_at",
        "expires_at",
        "worker",
        "batch",
        "unique_key",
        "cancelling",
        "progress",
        "error",
    ]
    assert (job["id"], job["state"], job["attempt"]) == (uid, "dead", 1)
    assert job["error"] == {
        "attempt": 1,
        "at": "2026-11-29T09:30:00+00:00",
        "type": "shop.bank.Refused",
        "message": "the card is refused",
    }


def test_no_jobs_is_no_mistake(jobs: Jobs) -> None:
    for arguments, note in ((), "there are no jobs"), (("--state", "dead"), "there is no such job"):
        result = jobs("list", *arguments)
        assert (result.code, result.out, result.err) == (0, "", f"note: {note}\n")


def test_ids_name_jobs_by_their_beginning(jobs: Jobs) -> None:
    first, second = jobs.enqueue(), jobs.enqueue()
    jobs.enqueue()
    assert ids(jobs, first[:8], second.upper()) == [second, first]
    assert ids(jobs, first[:8], second, "--state", "dead") == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("--task", "sned"),
            "[tasks.E078] there is no task 'sned' in this project, and no job of one;"
            " did you mean 'send'?",
        ),
        (
            ("--queue", "mial"),
            "[tasks.E079] there is no queue 'mial': no task uses it, and no job waits in it;"
            " did you mean 'mail'?",
        ),
        (
            ("--state", "ded"),
            "[management.E004] --state of `manage jobs list`: 'ded' is none of forwarding, held,"
            " ready, running, done, dead, cancelled, did you mean 'dead'?; usage: manage jobs list"
            " [OPTIONS] [IDS]...",
        ),
        (
            ("--since", "yesterday"),
            "[tasks.E080] --since is 'yesterday', which is no time; write how long ago, as 30min,"
            " 2h or 3d, or when: 2026-11-29T10:00+01:00",
        ),
        (("--until", "9" * 30 + "d"), "[tasks.E080] --until is '" + "9" * 30),
        (("--limit", "0"), "[tasks.E081] --limit is 0; give a number from 1 to 1000000000"),
        (("--limit", "9" * 20), "[tasks.E081] --limit is 99999999999999999999; "),
        (("--task", "\udcff"), "[tasks.E078] there is no task "),
        (
            ("--since", "1h", "--until", "2h"),
            "[tasks.E082] --until 2h is not after --since 1h; --since is the earlier one",
        ),
        (("--stat", "dead"), "[management.E002] `manage jobs list` has no option '--stat'; did"),
    ],
)
def test_what_cannot_be_meant_is_one_clear_line(
    arguments: tuple[str, ...], told: str, jobs: Jobs
) -> None:
    result = jobs("list", *arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {told}")
    assert result.err.count("\n") == 1


def test_a_task_that_is_gone_is_known_as_long_as_it_has_jobs(jobs: Jobs) -> None:
    uid = jobs.enqueue("shop.old.task", queue="attic")
    assert ids(jobs, "--task", "shop.old.task") == [uid]
    assert ids(jobs, "--queue", "attic") == [uid]


def test_a_time_without_an_offset_is_one_of_the_projects_zone(jobs: Jobs, clock: Clock) -> None:
    uid = jobs.enqueue()
    today = clock.now()
    result = jobs("list", "--since", f"{today:%Y-%m-%d}")
    assert uid[:8] in result.out
    assert result.err == (
        f"note: --since {today:%Y-%m-%d} is read as {today:%Y-%m-%d} 00:00:00+00:00,"
        " by TIME_ZONE UTC\n"
    )
    tomorrow = today + timedelta(days=1)
    assert jobs("list", "--since", f"{tomorrow:%Y-%m-%dT%H:%M}").out == ""
    exact = f"{today - timedelta(minutes=2):%Y-%m-%dT%H:%M:%SZ}"
    assert jobs("list", "--since", exact).err == ""
    assert ids(jobs, "--since", exact) == [uid]


def test_ids_that_another_client_gave_are_found_as_they_are(jobs: Jobs) -> None:
    uids = ["Nightly:2026-11-29", "0A1B2C3D4E5F40008000000000000001"]
    for uid in uids:
        jobs.enqueue(uid=uid)
    assert ids(jobs, "Nightly") == uids[:1]
    assert ids(jobs, uids[1]) == ids(jobs, "0A1B2C3D4E") == uids[1:]


def test_a_time_zone_of_the_project(jobs: Jobs, clock: Clock) -> None:
    jobs.project = jobs.project.overriding(settings={"TIME_ZONE": "Asia/Tokyo"})
    uid = jobs.enqueue()
    jobs.ends(DEAD)
    result = jobs("list", "--since", "2026-11-29T08:00")
    assert "is read as 2026-11-29 08:00:00+09:00, by TIME_ZONE Asia/Tokyo" in result.err
    assert "  2026-11-29 18:30:00 JST  attempt 1 failed" in jobs("show", uid).out


def test_nothing_in_a_job_moves_the_cursor(jobs: Jobs) -> None:
    error = AttemptError(attempt=1, at="now", type="E", message="a\x1b[2J\nb \x9b c")
    uid = jobs.enqueue()
    jobs.ends(Outcome(verdict=Verdict.DEAD, error=error))
    for result in jobs("list"), jobs("show", uid):
        assert "\x1b" not in result.out
        assert "E: a�[2J b � c" in result.out


def test_a_narrow_terminal_cuts_what_can_be_cut(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastforge.management.jobs.records.output_width", lambda: 72)
    jobs.enqueue()
    jobs.ends(DEAD)
    header, row = jobs("list").out.splitlines()
    assert len(row) == 72
    assert row.split()[1] == "…otes.tasks.send"
    assert row.endswith("Refused: th…")
    assert header.endswith("LAST ERROR")


def test_ids_are_as_long_as_tells_them_apart(jobs: Jobs) -> None:
    one, two = "0a1b2c3d-0000-4000-8000-000000000001", "0a1b2c3d-0f00-4000-8000-000000000002"
    jobs.enqueue(uid=one)
    jobs.enqueue(uid=two)
    rows = jobs("list").out.splitlines()[1:]
    assert [row.split()[0] for row in rows] == ["0a1b2c3d-0f", "0a1b2c3d-00"]


def test_done_jobs_tell_no_error(jobs: Jobs) -> None:
    jobs.enqueue()
    jobs.ends(DONE)
    (job,) = jobs.json("list")
    assert (job["state"], job["error"]) == ("done", None)
