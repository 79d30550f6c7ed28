"""Which values a column can hold at all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import BigInteger, Integer, Numeric, SmallInteger, String, TypeDecorator
from sqlalchemy.dialects import postgresql, sqlite

from fastforge.contrib.db.dialects import can_hold


class Wrapped(TypeDecorator[int]):
    impl = SmallInteger
    cache_ok = True


@pytest.mark.parametrize(
    ("type_", "value", "on_postgresql", "on_sqlite"),
    [
        (Integer(), 2**31 - 1, True, True),
        (Integer(), 2**31, False, True),
        (Integer(), -(2**31), True, True),
        (Integer(), -(2**31) - 1, False, True),
        (SmallInteger(), 2**15, False, True),
        (Wrapped(), 2**15, False, True),
        (Wrapped(), 2**15 - 1, True, True),
        (BigInteger(), 2**63 - 1, True, True),
        (BigInteger(), 2**63, False, False),
        (String(), "text", True, True),
        (String(), "nul\0", False, True),
        (String(), "\ud800", False, False),
        (Numeric(), Decimal("1e1000"), True, True),
        (Numeric(), Decimal("1e1001"), False, False),
        (Numeric(), Decimal("NaN"), True, True),
        (Integer(), None, True, True),
    ],
)
def test_what_a_column_can_hold(
    type_: Any, value: object, on_postgresql: bool, on_sqlite: bool
) -> None:
    assert can_hold(type_, value, postgresql.dialect()) is on_postgresql
    assert can_hold(type_, value, sqlite.dialect()) is on_sqlite
