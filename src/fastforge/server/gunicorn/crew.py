"""Crew: which workers to start and which to let go, decided from what is known of all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Member", "Steps", "next_steps"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One worker.

    Args:
        pid: The number of its process.
        age: Which it was of all that were started; the oldest has the smallest.
        serves: Whether it answers requests.
        leaves: Whether it was told to stop.
        is_outdated: Whether it is to be replaced.
    """

    pid: int
    age: int
    serves: bool
    leaves: bool = False
    is_outdated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What to do next.

    Args:
        start: How many workers to start.
        dismiss: The processes to tell that they should stop.
    """

    start: int
    dismiss: tuple[int, ...]


def next_steps(members: Iterable[Member], *, wanted: int, at_once: int) -> Steps:
    """Return what brings the workers nearer to what is wanted.

    An outdated worker goes on until another one serves in its place, so that there are never fewer
    than wanted. Asked again whenever something has changed, this replaces all of them.

    Args:
        members: All workers whose processes exist.
        wanted: How many should serve.
        at_once: How many are replaced side by side.
    """
    present = sorted((each for each in members if not each.leaves), key=lambda each: each.age)
    serving = sum(each.serves for each in present)
    dismissed: list[int] = []
    for each in present:
        if each.is_outdated and (not each.serves or serving > wanted):
            dismissed.append(each.pid)
            serving -= each.serves
    left = [each for each in present if each.pid not in dismissed]
    outdated = sum(each.is_outdated for each in left)
    if not outdated:
        surplus = left[: max(0, len(left) - wanted)]
        return Steps(
            start=max(0, wanted - len(left)), dismiss=(*dismissed, *(each.pid for each in surplus))
        )
    missing = wanted + min(at_once, outdated) - len(left)
    return Steps(start=max(0, missing), dismiss=tuple(dismissed))
