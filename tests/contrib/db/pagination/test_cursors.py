"""A cursor holds a place exactly, fits one order alone, and is else one error."""

from __future__ import annotations

import base64
import re
import uuid
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fastforge.contrib.db.pagination import InvalidCursor, PaginationError
from fastforge.contrib.db.pagination.cursors import LONGEST_CURSOR, _digest, cursor_of, values_of

from .tables import Kind

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.decimals(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.binary(max_size=30),
    st.dates(),
    st.times(),
    st.datetimes(timezones=st.none() | st.timezones()).filter(
        lambda moment: moment.fold == 0 and 1 < moment.year < 9999
    ),
    st.uuids(),
)


@given(place=st.lists(values, min_size=1, max_size=5), order=st.binary(max_size=32))
def test_a_place_comes_back_as_it_was(place: list[Any], order: bytes) -> None:
    cursor = cursor_of(place, order)
    assert re.fullmatch(r"[\w-]+", cursor)
    read = values_of(cursor, order)
    assert list(map(plain, read)) == list(map(plain, place))


def plain(value: Any) -> Any:
    moment = value.timestamp() if isinstance(value, datetime) and value.tzinfo else value
    return type(value), moment


def test_a_member_comes_back_as_its_name() -> None:
    assert values_of(cursor_of([Kind.large], b"order"), b"order") == ("large",)


@given(place=st.lists(values, min_size=1, max_size=3), at=st.integers(0), by=st.integers(1, 63))
def test_a_changed_cursor_is_none(place: list[Any], at: int, by: int) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    cursor = cursor_of(place, b"order")
    at %= len(cursor)
    other = alphabet[(alphabet.index(cursor[at]) + by) % 64]
    refused(cursor[:at] + other + cursor[at + 1 :], b"order")
    refused(cursor[:at], b"order")
    refused(cursor + other, b"order")


@given(st.text(max_size=60))
@example("")
@example("=")
@example("AA==")
@example("%00")
@example("ä")
@example("\ud800")
def test_any_text_is_refused(text: str) -> None:
    refused(text, b"order")


def test_a_cursor_of_another_order_is_none() -> None:
    refused(cursor_of([1], b"one order"), b"another")


def test_a_cursor_of_another_version_is_none() -> None:
    cursor = cursor_of([1], b"order")
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    later = base64.urlsafe_b64encode(b"\x02" + raw[1:]).rstrip(b"=").decode()
    refused(later, b"order")


@pytest.mark.parametrize(
    "place",
    [
        b"",
        b"no json",
        b"1",
        b"{}",
        b"[{}]",
        b'[["x","1"]]',
        b'[["n","much"]]',
        b'[["u","1"]]',
        b'[["t","yesterday"]]',
        b'[["t","0001-01-01T00:00:00+12:00"]]',
        b'[["f"]]',
        b'[["f",[1]]]',
        b'[["b","0"]]',
        b"[" * 3000,
        b"[" + b"9" * 5000 + b"]",
        b"\xff",
    ],
)
def test_a_cursor_that_somebody_made_up_is_none(place: bytes) -> None:
    """The digest keeps no secret, so that it can be forged: what is inside is looked at too."""
    forged = base64.urlsafe_b64encode(b"\x01" + _digest(place, b"order") + place)
    refused(forged.rstrip(b"=").decode(), b"order")


def refused(cursor: str, order: bytes) -> None:
    with pytest.raises(InvalidCursor) as raised:
        values_of(cursor, order)
    assert raised.value.status == 422
    assert str(raised.value) == (
        "[db.E060] the cursor is not one of this list; begin again without one"
    )


def test_a_value_of_another_type_is_refused_by_its_type() -> None:
    with pytest.raises(PaginationError, match=r"db\.E064.*type dict, which no cursor can hold"):
        cursor_of([{"a": 1}], b"order")


def test_a_value_that_no_url_carries_is_refused() -> None:
    assert len(cursor_of(["x" * 3000], b"order")) < LONGEST_CURSOR
    with pytest.raises(PaginationError, match=r"db\.E064.*more than the 4096 of a cursor"):
        cursor_of(["x" * 4000], b"order")


def test_times_and_dates_are_not_taken_for_each_other() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    place = [date(2026, 1, 1), moment, time(1), Decimal("1.50"), uuid.UUID(int=7)]
    assert list(values_of(cursor_of(place, b""), b"")) == place
