"""What a task declares about how many of its jobs there may be, and by which key they count."""

from __future__ import annotations

from typing import Any

import pytest

from fastforge.exceptions import TaskError
from fastforge.tasks import TASKS, Concurrency, Rate, Task, Unique, task
from fastforge.tasks.limits import key_of


async def settle(account_id: int, day: str = "today", *, note: str = "") -> None: ...


async def marked(account_id: int, mark: Any = object) -> None: ...


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, "2", 2**31])
def test_a_concurrency_is_a_count(limit: Any) -> None:
    with pytest.raises(TaskError, match=r"tasks.E016.*Concurrency"):
        Concurrency(limit)


@pytest.mark.parametrize(
    ("limit", "per_s"), [(0, 1), (1, 0), (1, -1), (1, float("inf")), (1, float("nan")), (1, "1")]
)
def test_a_rate_is_a_count_and_a_time(limit: int, per_s: Any) -> None:
    with pytest.raises(TaskError, match="tasks.E017"):
        Rate(limit, per_s=per_s)


@pytest.mark.parametrize("for_s", [0, -1, float("inf"), float("nan"), "60"])
def test_a_period_is_positive(for_s: Any) -> None:
    with pytest.raises(TaskError, match="tasks.E018") as caught:
        Unique(for_s=for_s)
    assert __file__.endswith(str(caught.value.where).partition(":")[0])


def test_the_short_forms_are_the_usual_limits() -> None:
    declared: Task[..., Any] = task(unique=True, concurrency=2)(settle)
    assert (declared.unique, declared.concurrency, declared.rate) == (
        Unique(),
        Concurrency(2),
        None,
    )
    plain: Task[..., Any] = task(unique=False)(settle)
    assert (plain.unique, plain.concurrency, plain.isolate) == (None, None, False)


@pytest.mark.parametrize(
    "limits",
    [
        {"unique": Unique(by="account_id")},
        {"unique": True, "concurrency": Concurrency(1, by=("account_id", "day"))},
        {"rate": Rate(1, by="note")},
    ],
)
def test_arguments_may_be_counted_by(limits: dict[str, Any]) -> None:
    assert TASKS.validate is not None
    TASKS.validate(task(**limits)(settle))


@pytest.mark.parametrize(
    "limits",
    [
        {"unique": Unique(by="acount_id")},
        {"concurrency": Concurrency(1, by=("day", "acount_id"))},
        {"rate": Rate(1, by="acount_id")},
    ],
)
def test_what_is_no_argument_cannot_be_counted_by(limits: dict[str, Any]) -> None:
    assert TASKS.validate is not None
    with pytest.raises(
        TaskError, match=r"tasks.E019.*it takes no argument 'acount_id'; did you mean 'account_id'"
    ) as caught:
        TASKS.validate(task(**limits)(settle))
    assert str(caught.value.where) in str(caught.value)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"unique": "account_id"}, r"unique='account_id'.* no Unique; write unique=Unique\("),
        ({"unique": Rate(5)}, "that is no Unique"),
        ({"concurrency": "2"}, "that is no Concurrency"),
        ({"rate": 5}, r"rate=5.* no Rate; write rate=Rate\("),
        ({"unique": Unique(by=["day"])}, r"by=\['day'\] is no name"),
        ({"unique": Unique(by=("day", 7))}, "is no name"),
        ({"unique": Unique(by="")}, "no argument ''; it takes account_id, day, note"),
    ],
)
def test_what_is_no_limit_is_refused(limits: dict[str, Any], words: str) -> None:
    assert TASKS.validate is not None
    with pytest.raises(TaskError, match=f"tasks.E019.*{words}"):
        TASKS.validate(task(**limits)(settle))


def test_a_default_that_is_no_json_cannot_be_counted_by() -> None:
    assert TASKS.validate is not None
    with pytest.raises(TaskError, match=r"tasks.E019.*the default of mark cannot be written"):
        TASKS.validate(task(unique=True)(marked))
    TASKS.validate(task(unique=Unique(by="account_id"))(marked))


def test_a_key_is_the_task_and_the_values_that_count() -> None:
    payload = {"account_id": 7, "day": "today"}
    assert key_of("settle", payload, ()) == "settle"
    assert key_of("settle", payload, "account_id") == "settle:[7]"
    assert key_of("settle", payload, ("day", "account_id")) == 'settle:["today", 7]'


def test_a_long_key_is_shortened_and_still_tells_apart() -> None:
    keys = {key_of("settle", {"note": f"{'x' * 500}{number}"}, "note") for number in range(3)}
    assert len(keys) == 3
    assert max(map(len, keys)) <= 200
