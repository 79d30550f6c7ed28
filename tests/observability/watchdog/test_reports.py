"""One story a minute of the same line, in bounded memory."""

from __future__ import annotations

import logging

import pytest

from fastforge.observability.watchdog.reports import MOST_KEYS, Reports, logger


def test_the_same_thing_is_told_of_once_and_another_at_once() -> None:
    reports = Reports(60)
    assert reports.may_tell("a") == {}
    assert reports.may_tell("a", 0.2) is None
    assert reports.may_tell("b") == {}


def test_what_was_left_out_is_told_the_next_time() -> None:
    reports = Reports(60)
    reports.may_tell("a")
    reports.may_tell("a", 0.25)
    reports.may_tell("a", 0.5)
    reports._every_s = 0
    assert reports.may_tell("a") == {"repeated": 2, "repeated_s": 0.75}
    assert reports.may_tell("a") == {}


def test_the_memory_of_what_was_told_is_bounded() -> None:
    reports = Reports(60)
    for number in range(2 * MOST_KEYS):
        assert reports.may_tell(number) == {}
    assert len(reports._told) == MOST_KEYS
    assert reports.may_tell(2 * MOST_KEYS - 1) is None
    assert reports.may_tell(0) == {}


def test_where_nobody_handles_lines_the_fields_are_a_part_of_the_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logger, "propagate", False)
    monkeypatch.setattr(logging, "lastResort", logging.StreamHandler())
    Reports(60).write("event_loop_blocked", {"duration_s": 0.5, "line": 7})
    assert capsys.readouterr().err == "event_loop_blocked duration_s=0.5 line=7\n"
