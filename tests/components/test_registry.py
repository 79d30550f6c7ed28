"""The registry is frozen, ordered, comparable, and helps with names."""

from __future__ import annotations

import pytest

from fastforge.components import Component, Kind, Registry
from fastforge.exceptions import ComponentError, Location

WORDS = Kind(name="words", type=str, module="words")


def word(name: str, value: str | None = None, app: str = "shop") -> Component[str]:
    place = Location("words.py", 1)
    return Component(kind="words", name=name, value=value or name, app=app, location=place)


def test_values_come_in_installation_order() -> None:
    registry = Registry([WORDS], [word("b"), word("a")])
    assert registry.values(WORDS) == ("b", "a")
    assert registry.values("words") == ("b", "a")
    assert registry.values("unknown kind") == ()


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(ComponentError) as caught:
        Registry([WORDS], [word("receipt")]).get(WORDS, "reciept")
    assert caught.value.hint == "did you mean 'receipt'?"


def test_two_values_of_one_name_are_refused() -> None:
    with pytest.raises(ComponentError, match="two of the words are named 'a'"):
        Registry([WORDS], [word("a", "one"), word("a", "two", app="other")])


def test_equal_collections_are_equal() -> None:
    assert Registry([WORDS], [word("a")]) == Registry([WORDS], [word("a")])
    assert Registry([WORDS], [word("a")]) != Registry([WORDS], [word("b")])
    assert repr(Registry([WORDS], [word("a")])) == "<Registry(words=1)>"
