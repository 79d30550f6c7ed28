"""Overlaps: two channels that one name may belong to, of which only the first could be joined."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Final

from ...components import Component
from ...exceptions import ComponentError
from .channel import Channel

__all__ = ["OVERLAP_HINT", "overlapping", "refuse_overlaps", "told_of_overlap"]

OVERLAP_HINT: Final = "let them begin with different words"

_Found = Component[type[Channel]]


def overlapping(components: Iterable[_Found]) -> Iterator[tuple[_Found, _Found]]:
    """Find the pairs, as they are declared."""
    for one, other in itertools.combinations(components, 2):
        first, second = one.value.pattern, other.value.pattern
        if first is not None and second is not None and first.overlaps(second):
            yield one, other


def told_of_overlap(one: type[Channel], other: type[Channel]) -> str:
    """Return what is wrong with a pair."""
    assert one.pattern is not None
    assert other.pattern is not None
    return (
        f"{other.pattern.text!r} of {other.__name__} and {one.pattern.text!r} of {one.__name__}"
        " may be the same name"
    )


def refuse_overlaps(components: Iterable[_Found]) -> None:
    """Let no process serve channels of which one hides another.

    Raises:
        ComponentError: There are two.
    """
    for one, other in overlapping(components):
        raise ComponentError(
            told_of_overlap(one.value, other.value),
            code="channels.E008",
            hint=OVERLAP_HINT,
            where=other.location,
        )
