"""When a failed job is tried again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastforge.exceptions import TaskError
from fastforge.tasks import NoRetry, Retry


def test_pauses_double_up_to_the_cap() -> None:
    retry = Retry(base_s=2, cap_s=20, jitter=False)
    assert [retry.delay_s(attempt, chance=0) for attempt in (1, 2, 3, 4, 5)] == [2, 4, 8, 16, 20]


def test_pauses_stay_the_same_without_exponential() -> None:
    retry = Retry(base_s=5, exponential=False, jitter=False)
    assert {retry.delay_s(attempt, chance=0) for attempt in range(1, 10)} == {5}


@given(attempt=st.integers(1, 100_000), chance=st.floats(0, 1), base_s=st.floats(0, 1e6))
def test_jitter_shortens_by_at_most_a_half_and_never_passes_the_cap(
    attempt: int, chance: float, base_s: float
) -> None:
    retry = Retry(base_s=base_s)
    whole = Retry(base_s=base_s, jitter=False).delay_s(attempt, chance=chance)
    assert whole / 2 <= retry.delay_s(attempt, chance=chance) <= whole <= 600


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_attempts": 0},
        {"max_attempts": 32_768},
        {"max_attempts": 1.5},
        {"base_s": -1},
        {"base_s": float("nan")},
        {"cap_s": -0.1},
        {"cap_s": float("inf")},
        {"cap_s": "600"},
    ],
)
def test_numbers_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(TaskError, match="tasks.E001") as caught:
        Retry(**wrong)
    assert __file__.endswith(str(caught.value.where).partition(":")[0])


class CardRefused(Exception): ...


class CardStolen(CardRefused): ...


def test_some_exceptions_are_never_tried_again() -> None:
    retry = Retry(never_for=(CardRefused, KeyError))
    assert retry.gives_up_on(CardStolen())
    assert retry.gives_up_on(KeyError("order"))
    assert not retry.gives_up_on(ConnectionError())
    assert Retry().gives_up_on(NoRetry("and this one always"))
    assert not Retry().gives_up_on(CardRefused())


@pytest.mark.parametrize(
    "wrong", [CardRefused, [CardRefused], ("CardRefused",), (CardRefused(),), (int,), None]
)
def test_only_exception_classes_are_never_tried_again(wrong: Any) -> None:
    with pytest.raises(TaskError, match=r"tasks.E034.*never_for=\("):
        Retry(never_for=wrong)
