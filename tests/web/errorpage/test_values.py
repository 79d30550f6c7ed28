"""A variable is shown within bounds and without secrets, whatever its class does."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from fastforge.web.errorpage.values import LONGEST, Values
from tests.processes import wait_until


@dataclass
class Card:
    owner: str
    api_key: str
    hidden: str = field(default="never", repr=False)


class Login(BaseModel):
    name: str
    password: SecretStr
    token: str


class Raising:
    def __repr__(self) -> str:
        raise KeyboardInterrupt


class Endless:
    def __repr__(self) -> str:
        while True:
            pass


class Sleeping:
    def __repr__(self) -> str:
        time.sleep(3600)
        return ""


class Shy:
    pass


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "None"),
        (7, "7"),
        ("a'b", '"a\'b"'),
        (b"\x00", r"b'\x00'"),
        ([1, [2, [3, [4, [5]]]]], "[1, [2, [3, [4, ...]]]]"),
        ((1,), "(1,)"),
        ({}, "{}"),
        ({1: {"password": "a-long-secret-1"}}, "{1: {'password': ***}}"),
        ({"password": None}, "{'password': None}"),
        (Card("Ada", "a-long-secret-2"), "Card(owner='Ada', api_key=***)"),
        (Shy(), f"<{__name__}.Shy>"),
        pytest.param(10**10_000, "<int of 33220 bits>", id="a long number"),
        ("postgresql://shop:a-long-secret-3@db/shop", "'postgresql://shop:***@db/shop'"),
    ],
)
def test_a_value_is_shown_without_what_is_secret(value: Any, shown: str) -> None:
    assert Values().shown(value) == shown


def test_of_a_model_the_fields_are_shown() -> None:
    values = Values()
    shown = values.shown(Login(name="ada", password=SecretStr("a-long-secret-4"), token="t" * 20))
    assert shown == "Login(name='ada', password=***, token=***)"
    assert values.secrets == {"a-long-secret-4", "t" * 20}


def test_a_sensitive_name_hides_any_value_and_remembers_it() -> None:
    values = Values()
    assert values.named("db_password", "a-long-secret-5") == "***"
    assert values.named("payload", {"cookie": "a-long-secret-6"}) == "{'cookie': ***}"
    assert values.secrets == {"a-long-secret-5", "a-long-secret-6"}


@pytest.mark.parametrize("value", ["x" * 10_000, [0] * 10_000, {n: n for n in range(10_000)}])
def test_a_large_value_is_cut(value: Any) -> None:
    assert len(Values().shown(value)) <= LONGEST + len("...") + 10


def test_what_holds_itself_comes_to_an_end() -> None:
    ring: list[Any] = []
    ring.append(ring)
    assert Values().shown(ring).count("[") < 10


def test_a_repr_that_raises_is_told() -> None:
    """Also one that raises what is no Exception."""
    assert Values().shown(Raising()) == "<Raising: its repr() raises KeyboardInterrupt>"


def test_a_repr_without_an_end_is_left_and_ended() -> None:
    before = threading.active_count()
    assert Values().shown([Endless()]) == "[<Endless: its repr() takes too long>]"
    wait_until(lambda: threading.active_count() <= before)


def test_after_two_slow_ones_no_more_are_called() -> None:
    values = Values()
    for _ in range(2):
        assert values.shown(Sleeping()) == "<Sleeping: its repr() takes too long>"
    assert values.shown(Raising()) == "<Raising>"


def test_an_exception_whose_text_raises_is_told() -> None:
    class Dumb(Exception):
        def __str__(self) -> str:
            raise ValueError("again")

    assert Values().text(Dumb()) == "<Dumb: its str() raises ValueError>"
