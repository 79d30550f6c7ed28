"""`manage jobs show`: everything that is known of one job."""

from __future__ import annotations

import pytest

from fastforge.tasks import AttemptError, Outcome, Progress, TaskBackend, Verdict
from fastforge.tasks.limits import UniqueKey

from .conftest import DEAD, DONE, SEND, Jobs


def test_everything_of_a_dead_job(jobs: Jobs) -> None:
    uid = jobs.enqueue(
        payload={"text": "hello", "api_key": "s3cret", "url": "https://a:pass@b"},
        headers={"request_id": "r-1"},
        priority=3,
        unique=UniqueKey(key="k-1"),
    )
    jobs.ends(DEAD)
    result = jobs("show", uid[:8])
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0] == f"Job {uid} of {SEND}"
    facts = dict(line.strip().split("  ", 1) for line in lines[1 : lines.index("")])
    assert {name: fact.strip() for name, fact in facts.items()} == {
        "state": "dead (0 s ago)",
        "queue": "default",
        "priority": "3",
        "attempts": "1 of 10",
        "worker": "w1",
        "unique key": "k-1",
    }
    assert '    "text": "hello",\n    "api_key": "***",\n' in result.out
    assert "https://a:***@b" in result.out
    assert '    "request_id": "r-1"\n' in result.out
    timeline = lines[lines.index("Timeline") + 1 : lines.index("Attempt 1 failed") - 1]
    assert timeline[0].endswith("2026-11-29 09:30:00 UTC  attempt 1 failed: shop.bank.Refused")
    assert [line.rpartition("  ")[2] for line in timeline[1:]] == [
        "enqueued",
        "attempt 1 began",
        "dead",
    ]
    assert lines[lines.index("Attempt 1 failed") + 1 :] == [
        "  2026-11-29 09:30:00 UTC",
        "  shop.bank.Refused: the card is refused",
        "    Traceback (most recent call last):",
        "      here",
        "    shop.bank.Refused: it is refused",
    ]


def test_everything_as_json(jobs: Jobs) -> None:
    uid = jobs.enqueue(payload={"password": "s3cret", "text": "hello"})
    jobs.ends(DEAD)
    (job,) = jobs.json("show", uid)
    assert (job["id"], job["state"]) == (uid, "dead")
    assert job["payload"] == {"password": "***", "text": "hello"}
    (error,) = job["errors"]
    assert error["trace"].startswith("Traceback")
    assert "error" not in job


def test_every_attempt_that_failed(jobs: Jobs) -> None:
    uid = jobs.enqueue()
    for attempt in (1, 2):
        error = AttemptError.of(ValueError(f"number {attempt}"), attempt=attempt)
        jobs.ends(Outcome(verdict=Verdict.RETRY, error=error))
    out = jobs("show", uid).out
    assert "  ValueError: number 1\n" in out[out.index("Attempt 1 failed") :]
    assert "  ValueError: number 2\n" in out[out.index("Attempt 2 failed") :]
    assert out.count("is due\n") == 1


def test_a_result_and_how_far_a_job_was(jobs: Jobs) -> None:
    uid = jobs.enqueue()
    (claim,) = jobs.begin()

    async def report(backend: TaskBackend) -> None:
        await backend.attend("w1", {claim: Progress(done=3, total=12, message="reading")})

    jobs.do(report)
    assert "3 of 12 (25%): reading" in jobs("show", uid).out
    other = jobs.enqueue()
    jobs.ends(DONE)
    assert 'Result\n  {\n    "sent": 3\n  }' in jobs("show", other).out


@pytest.mark.parametrize("typed", ["ffffffff", "no-such-id", "  ", "%", "f" * 32, "é", "\udcff"])
def test_an_unknown_id_is_not_found(typed: str, jobs: Jobs) -> None:
    jobs.enqueue(uid="0a1b2c3d-0000-4000-8000-000000000001")
    result = jobs("show", typed)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith(f"error: [tasks.E075] there is no job {typed!r}; `jobs list` ")


def test_an_id_that_may_mean_several_is_told_with_them(jobs: Jobs) -> None:
    for number in range(7):
        jobs.enqueue(uid=f"0a1b2c3d-0000-4000-8000-00000000000{number}")
    result = jobs("show", "0a1b")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(
        "error: [tasks.E076] the ids of several jobs begin with '0a1b'; write more of it:"
        f" 0a1b2c3d-0000-4000-8000-000000000006 ({SEND}), "
    )
    assert result.err.endswith(", and more\n")


def test_one_id_has_to_be_given(jobs: Jobs) -> None:
    result = jobs("show")
    assert (result.code, result.out) == (2, "")
    assert "`manage jobs show` needs ID" in result.err
