"""Any value becomes JSON without secrets, of bounded size, and nobody's code is asked."""

from __future__ import annotations

import json
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from starlette.datastructures import Headers, QueryParams

from fastforge.redaction import redacted
from fastforge.redaction.values import DEEPEST, LONGEST_TEXT, MOST_ITEMS, MOST_VALUES


class Account(BaseModel):
    model_config = ConfigDict(extra="allow")

    name: str
    password: str
    pin: SecretStr
    hidden: str = Field(default="hunter2", repr=False)


@dataclass
class Login:
    user: str
    api_key: str
    note: str = field(default="hunter2", repr=False)


@dataclass(slots=True)
class Slotted:
    token: str
    page: int


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


class Hostile:
    """Fails, or would tell, whatever it is asked."""

    secret = "hunter2"

    def _fail(self, *given: object) -> Any:
        raise RuntimeError("hunter2")

    __repr__ = __str__ = __iter__ = __len__ = __getattr__ = __eq__ = _fail  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]


class Mean(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError("asked")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (1.5, 1.5),
        ("password=x", "password=***"),
        (b"password=x\xff", "password=***"),
        (Mean("text"), "text"),
        ({"password": "x", "page": 2}, {"password": "***", "page": 2}),
        ({"a": [{"b": ({"token": "x"},)}]}, {"a": [{"b": [{"token": "***"}]}]}),
        ({"token": {"deep": "x"}}, {"token": "***"}),
        ({b"authorization": b"x"}, {"authorization": "***"}),
        ({1: "a", None: "b"}, {"1": "a", "None": "b"}),
        ([(b"cookie", b"a=b"), (b"host", b"x")], [["cookie", "***"], ["host", "x"]]),
        (OrderedDict(secret="x"), {"secret": "***"}),
        (MappingProxyType({"secret": "x"}), {"secret": "***"}),
        (Headers({"authorization": "x", "host": "y"}), {"authorization": "***", "host": "y"}),
        (QueryParams("token=x&page=2"), {"token": "***", "page": "2"}),
        (deque(["a"]), ["a"]),
        ({"a"}, ["a"]),
        (Login(user="ada", api_key="x"), {"user": "ada", "api_key": "***", "note": "***"}),
        (Slotted(token="x", page=2), {"token": "***", "page": 2}),
        (SecretStr("x"), "***"),
        (Colour.RED, "red"),
        (Level.LOW, 1),
        (datetime(2026, 11, 29, tzinfo=UTC), "2026-11-29 00:00:00+00:00"),
        (UUID(int=1), str(UUID(int=1))),
        (Decimal("1.50"), "1.50"),
        (Path("/srv"), "/srv"),
        (ValueError("password=x"), "ValueError: password=***"),
        (Hostile, f"<{__name__}.Hostile>"),
    ],
)
def test_a_value_is_shown_without_its_secrets(value: object, shown: object) -> None:
    assert redacted(value) == shown


def test_an_object_is_named_and_not_asked() -> None:
    assert redacted([Hostile(), {"a": Hostile()}]) == [
        f"<{__name__}.Hostile>",
        {"a": f"<{__name__}.Hostile>"},
    ]


def test_a_model_is_read_field_by_field() -> None:
    account = Account(name="ada", password="x", pin=SecretStr("1"), extra_token="x")  # type: ignore[call-arg]
    assert redacted({"account": account}) == {
        "account": {
            "name": "ada",
            "password": "***",
            "pin": "***",
            "hidden": "***",
            "extra_token": "***",
        }
    }


def _deep() -> Any:
    value: Any = "hunter2"
    for _ in range(100_000):
        value = [value]
    return value


def _ring() -> Any:
    ring: dict[str, Any] = {}
    ring["self"] = ring
    return ring


@pytest.mark.parametrize(
    "make",
    [
        _deep,
        _ring,
        lambda: list(range(10**6)),
        lambda: {str(each): each for each in range(10**5)},
        lambda: [[[0] * 1000] * 1000] * 1000,
        lambda: "a" * 10**6,
        lambda: b"a" * 10**6,
        lambda: 10**50_000,
        lambda: {"a" * 10**6: 1},
    ],
)
def test_what_is_written_is_bounded(make: Callable[[], Any]) -> None:
    written = json.dumps(redacted(make()))
    assert len(written) < 2 * LONGEST_TEXT + 40 * MOST_VALUES


def test_it_says_where_something_was_cut() -> None:
    assert len(redacted(list(range(MOST_ITEMS + 1)))) == MOST_ITEMS + 1
    assert redacted(list(range(MOST_ITEMS + 1)))[-1] == "..."
    assert redacted("a" * (LONGEST_TEXT + 3)).endswith("... (3 more characters)")
    deep: Any = 1
    for _ in range(DEEPEST + 1):
        deep = [deep]
    assert "..." in json.dumps(redacted(deep))


def test_a_secret_that_is_cut_is_masked_before() -> None:
    text = "a" * (LONGEST_TEXT - 14) + " password=hunter2"
    assert "hunt" not in redacted(text)


def test_an_exception_whose_text_fails_is_named() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert redacted(Broken()) == f"<{__name__}.{Broken.__qualname__}>"
