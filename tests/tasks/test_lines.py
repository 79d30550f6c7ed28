"""What a worker says of an attempt when it has ended: once, with everything."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fastforge.observability.lines import LineBuffer
from fastforge.observability.logging.choices import Shape
from fastforge.observability.logging.configuration import Configuration
from fastforge.observability.logging.current import current
from fastforge.observability.logging.process import stream_of
from fastforge.tasks.backend import Claim
from fastforge.tasks.envelope import Envelope
from fastforge.tasks.lines import JobLines
from fastforge.tasks.outcome import AttemptError, Outcome, Verdict
from tests.folder import isolated

CLAIM = Claim(
    key=1,
    attempt=2,
    envelope=Envelope(
        task="shop.mail", payload={}, uid="j1", headers={"request_id": "r1"}, max_attempts=3
    ),
)
ERROR = AttemptError.told("ValueError", "no stock", attempt=2, trace="Traceback\nValueError: x\n")
EXCEPTION = {"type": "ValueError", "message": "no stock", "frames": []}
DONE = Outcome(verdict=Verdict.SUCCEEDED, span=("a" * 32, "b" * 16))
RETRIED = Outcome(verdict=Verdict.RETRY, delay_s=4, error=ERROR, exception=EXCEPTION)
DEAD = Outcome(verdict=Verdict.DEAD, error=ERROR, exception=EXCEPTION)


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[JobLines]:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": ""})
        yield JobLines(folder.load().settings, "w1")


def said(
    monkeypatch: pytest.MonkeyPatch, lines: JobLines, outcome: Outcome, shape: Shape = "json"
) -> str:
    written = io.StringIO()
    buffer = LineBuffer(written)
    stream = stream_of(Configuration(role="worker", shape=shape), buffer)
    monkeypatch.setattr(current, "stream", stream)
    lines.write(CLAIM, outcome, duration_s=0.0123, late_s=0.004)
    buffer.close()
    return written.getvalue()


def test_one_object_says_everything_of_an_attempt(
    monkeypatch: pytest.MonkeyPatch, lines: JobLines
) -> None:
    record: dict[str, Any] = json.loads(said(monkeypatch, lines, DONE))
    assert record.pop("timestamp")
    assert record.pop("pid")
    assert record == {
        "level": "info",
        "event": "job",
        "logger": "fastforge.jobs",
        "role": "worker",
        "request_id": "r1",
        "trace_id": "a" * 32,
        "span_id": "b" * 16,
        "job_id": "j1",
        "task": "shop.mail",
        "attempt": 2,
        "max_attempts": 3,
        "queue": "default",
        "verdict": "succeeded",
        "duration_ms": 12.3,
        "queue_ms": 4.0,
        "worker": "w1",
    }


@pytest.mark.parametrize(("outcome", "level"), [(RETRIED, "warning"), (DEAD, "error")])
def test_one_that_failed_has_its_exception(
    monkeypatch: pytest.MonkeyPatch, lines: JobLines, outcome: Outcome, level: str
) -> None:
    record = json.loads(said(monkeypatch, lines, outcome))
    assert (record["level"], record["verdict"]) == (level, outcome.verdict.value)
    assert record["failure"] == "ValueError"
    assert record["exception"] == EXCEPTION
    assert record.get("retry_in_s") == (4 if outcome is RETRIED else None)


def test_whoever_develops_reads_a_sentence(
    monkeypatch: pytest.MonkeyPatch, lines: JobLines
) -> None:
    assert "job j1 of shop.mail is done, attempt 2 of 3, 12.3 ms" in said(
        monkeypatch, lines, DONE, "console"
    )
    first, *rest = said(monkeypatch, lines, DEAD, "console").splitlines()
    assert "job j1 of shop.mail is dead after attempt 2 of 3: ValueError: no stock" in first
    assert [line.strip() for line in rest] == ["Traceback", "ValueError: x"]


def test_one_that_is_put_back_has_no_line(monkeypatch: pytest.MonkeyPatch, lines: JobLines) -> None:
    assert not said(monkeypatch, lines, Outcome(verdict=Verdict.PUT_BACK))


def test_where_nobody_has_configured_lines_logging_has_the_sentence_of_failures(
    lines: JobLines, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        for outcome in (DONE, RETRIED, DEAD):
            lines.write(CLAIM, outcome, duration_s=0.0123)
    retried, dead = caplog.messages
    assert retried.startswith("job j1 of shop.mail failed, attempt 2 of 3, next in 4.0 s: ")
    assert dead.startswith("job j1 of shop.mail is dead after attempt 2 of 3: ValueError: no stock")
    assert dead.endswith("Traceback\nValueError: x")
