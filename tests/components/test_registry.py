"""The registry is frozen, ordered, comparable, and helps with names."""

from __future__ import annotations

import pytest

from fastforge.components import Component, Kind, Registry
from fastforge.exceptions import ComponentError, Location

WORDS = Kind(name="words", type=str, module="words")


def word(name: str, value: str | None = None, app: str = "shop") -> Component[str]:
    place = Location("words.py", 1)
    return Component(kind="words", name=name, value=value or name, app=app, location=place)


def registry_of(*components: Component[str]) -> Registry:
    return Registry([WORDS], lambda kind: components)


def test_values_come_in_installation_order() -> None:
    registry = registry_of(word("b"), word("a"))
    assert registry.values(WORDS) == ("b", "a")
    assert registry.values("words") == ("b", "a")
    assert registry.values("unknown kind") == ()


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(ComponentError) as caught:
        registry_of(word("receipt")).get(WORDS, "reciept")
    assert caught.value.hint == "did you mean 'receipt'?"


def test_two_values_of_one_name_are_refused() -> None:
    with pytest.raises(ComponentError, match="two of the words are named 'a'"):
        registry_of(word("a", "one"), word("a", "two", app="other"))


def test_equal_collections_are_equal() -> None:
    assert registry_of(word("a")) == registry_of(word("a"))
    assert registry_of(word("a")) != registry_of(word("b"))
    assert repr(registry_of(word("a"))) == "<Registry(words=1)>"


def test_a_deferred_kind_is_searched_once_when_it_is_asked_for() -> None:
    asked: list[str] = []

    def find(kind: Kind[str]) -> list[Component[str]]:
        asked.append(kind.name)
        return [word("a")]

    late = Kind(name="late", type=str, module="late", deferred=True)
    registry = Registry([WORDS, late], find)
    assert asked == ["words"]
    assert registry.values(late) == registry.values("late") == ("a",)
    assert asked == ["words", "late"]
