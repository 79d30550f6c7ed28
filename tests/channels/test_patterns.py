"""Patterns: which names belong to a channel, and what their parts are."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from fastforge.channels.declaring.patterns import Pattern
from fastforge.channels.errors import ChannelError
from fastforge.exceptions import ComponentError

SOME_ID = uuid.UUID("12345678-1234-5678-1234-567812345678")


@pytest.mark.parametrize(
    ("pattern", "name", "parameters"),
    [
        ("news", "news", {}),
        ("room:{room_id:int}", "room:7", {"room_id": 7}),
        ("room:{room_id:int}", "room:-7", {"room_id": -7}),
        ("room:{name}", "room:Blue-Möwe.1", {"name": "Blue-Möwe.1"}),
        ("a:{b}:c:{d:int}", "a:x:c:0", {"b": "x", "d": 0}),
        ("doc:{key:uuid}", f"doc:{SOME_ID}", {"key": SOME_ID}),
    ],
)
def test_a_name_and_its_parameters_are_two_forms_of_one_thing(
    pattern: str, name: str, parameters: dict[str, Any]
) -> None:
    assert Pattern.of(pattern).match(name) == parameters
    assert Pattern.of(pattern).name_of(parameters) == name


@pytest.mark.parametrize(
    "name",
    [
        "room", "room:", "room:x", "room:07", "room:+7", "room:-0", "room:7:8", "Room:7", "room:7 ",
        "room:9223372036854775808", "room:1_0", "room:\u0667", " room:7", "room:7\n", "rooms:7", "",
    ],
)  # fmt: skip
def test_a_number_has_one_name(name: str) -> None:
    assert Pattern.of("room:{room_id:int}").match(name) is None


@pytest.mark.parametrize("text", ["", "a b", "a:b", "{x}", "a\x00", "a\n", "\x85", "\ud800"])
def test_a_text_in_a_name_has_no_spaces_colons_and_braces(text: str) -> None:
    assert Pattern.of("room:{name}").match(f"room:{text}") is None
    with pytest.raises(ChannelError, match=r"channels\.E012"):
        Pattern.of("room:{name}").name_of({"name": text})


@pytest.mark.parametrize("value", ["7", True, 7.0, None, 2**63])
def test_a_value_of_another_type_is_refused(value: object) -> None:
    with pytest.raises(ChannelError, match=r"channels\.E012"):
        Pattern.of("room:{room_id:int}").name_of({"room_id": value})


def test_a_missing_or_misspelt_parameter_is_told() -> None:
    pattern = Pattern.of("room:{room_id:int}")
    with pytest.raises(ChannelError, match=r"lacks room_id"):
        pattern.name_of({})
    with pytest.raises(ChannelError, match=r"did you mean 'room_id'\?"):
        pattern.name_of({"room_id": 7, "romm_id": 7})
    with pytest.raises(ChannelError, match=r"lacks room_id and has no romm_id; did you mean"):
        pattern.name_of({"romm_id": 7})


def test_a_long_name_is_none() -> None:
    pattern = Pattern.of("room:{name}")
    assert pattern.match(f"room:{'x' * 196}") is None
    with pytest.raises(ChannelError, match="has 201 characters"):
        pattern.name_of({"name": "x" * 196})


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "room:",
        "room:{x",
        "room:{x:float}",
        "room:x{y}",
        "{x}",
        "a b",
        "a:{x}:{x}",
        "a:{1x}",
        "a:{self}",
        "a:{class}",
    ],
)
def test_a_pattern_that_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(ComponentError, match=r"channels\.E001"):
        Pattern.of(pattern)


def test_the_nearest_type_is_named() -> None:
    with pytest.raises(ComponentError, match=r"did you mean 'uuid'\?"):
        Pattern.of("a:{x:uid}")


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ("a", "a", True), ("a", "b", False), ("a:{x}", "a", False), ("a:{x}", "a:b", True),
        ("a:{x:int}", "a:b", False), ("a:{x:int}", "a:7", True), ("a:{x:int}", "a:{y:uuid}", False),
        ("a:{x}", "a:{y:uuid}", True), ("a:{x:int}:b", "a:{y:int}:c", False),
    ],
)  # fmt: skip
def test_two_patterns_overlap_where_a_name_may_be_both_s(
    one: str, other: str, overlap: bool
) -> None:
    assert Pattern.of(one).overlaps(Pattern.of(other)) is overlap
    assert Pattern.of(other).overlaps(Pattern.of(one)) is overlap
