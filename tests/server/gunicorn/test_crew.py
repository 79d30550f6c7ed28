"""Whoever is replaced goes on until another one serves in its place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fastforge.server.gunicorn.crew import Member, Steps, next_steps


def crew(*states: str) -> list[Member]:
    """The members by their states: `s` serves, `o` is outdated, `l` leaves; the oldest first."""
    return [
        Member(pid=age, age=age, serves="s" in each, is_outdated="o" in each, leaves="l" in each)
        for age, each in enumerate(states, start=1)
    ]


@pytest.mark.parametrize(
    ("states", "start", "dismiss"),
    [
        pytest.param([], 2, (), id="all of them start at first"),
        pytest.param(["", ""], 0, (), id="those that start are waited for"),
        pytest.param(["s"], 1, (), id="one that has died is replaced"),
        pytest.param(["sl", "s"], 1, (), id="one that leaves is replaced before it has ended"),
        pytest.param(["s", "s", "s"], 0, (1,), id="the oldest goes when there are too many"),
        pytest.param(["so", "so"], 1, (), id="a new one is started first"),
        pytest.param(["so", "so", ""], 0, (), id="until it serves the old ones go on"),
        pytest.param(["so", "so", "s"], 1, (1,), id="then the oldest of them goes"),
        pytest.param(["sol", "so", "s", "s"], 0, (2,), id="and the other one"),
        pytest.param(["so", "o"], 2, (2,), id="nobody waits for an old one that does not serve"),
        pytest.param(["s", "so", ""], 0, (), id="two of them at a time are not replaced"),
    ],
)
def test_the_next_steps(states: list[str], start: int, dismiss: tuple[int, ...]) -> None:
    assert next_steps(crew(*states), wanted=2, at_once=1) == Steps(start=start, dismiss=dismiss)


def test_while_none_may_be_replaced_outdated_ones_go_on() -> None:
    members = crew("so", "so")
    assert next_steps(members, wanted=2, at_once=0) == Steps(start=0, dismiss=())


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_step_by_step_all_are_replaced_and_never_fewer_serve(at_once: int) -> None:
    members = crew("so", "so", "so", "so")
    wanted, age = len(members), len(members)
    while any(each.is_outdated for each in members):
        steps = next_steps(members, wanted=wanted, at_once=at_once)
        assert steps.start or steps.dismiss, members
        assert steps.start <= at_once
        members = [each for each in members if each.pid not in steps.dismiss]
        assert sum(each.serves for each in members) >= wanted
        for _ in range(steps.start):
            age += 1
            members.append(Member(pid=age, age=age, serves=False))
        assert len(members) <= wanted + at_once
        members = [replace(each, serves=True) for each in members]
    steps = next_steps(members, wanted=wanted, at_once=at_once)
    assert len(members) - len(steps.dismiss) == wanted
