"""Pauses double up to a limit, at random never longer, and begin again."""

from __future__ import annotations

import pytest

from fastforge.lifecycle.backoff import Backoff


def test_pauses_double_up_to_the_limit_and_are_shortened_by_up_to_a_half() -> None:
    backoff = Backoff(1, 5)
    for _ in range(20):
        for longest_s in (1, 2, 4, 5, 5):
            assert longest_s / 2 <= backoff.next_s() <= longest_s
        backoff.reset()


def test_without_chance_they_are_what_they_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda least, most: most)
    backoff = Backoff(0.25, 30)
    assert [backoff.next_s() for _ in range(4)] == [0.25, 0.5, 1, 2]


def test_pauses_may_be_any_time_up_to_the_whole() -> None:
    """Full jitter: callers that failed at the same moment come back at all moments."""
    pauses = [Backoff(1, 5, least=0).next_s() for _ in range(2000)]
    assert min(pauses) < 0.05
    assert max(pauses) > 0.95
