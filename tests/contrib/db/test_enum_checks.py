"""Enums of a Model: a text with a CHECK whose name tells the values."""

from __future__ import annotations

import enum
from typing import Literal

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fastforge.contrib.db import Model
from fastforge.contrib.db.enum_checks import check_enums


class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"


class EnumChecksPaint(Model):
    __tablename__ = "enum_checks_paint"

    id: Mapped[int] = mapped_column(primary_key=True)
    colour: Mapped[Colour]
    finish: Mapped[Literal["matt", "it's"] | None]
    native: Mapped[Colour] = mapped_column(sa.Enum(Colour, name="enum_checks_colour"))


def checks(table: sa.Table) -> dict[str, str]:
    return {
        str(each.name): str(each.sqltext.compile(compile_kwargs={"literal_binds": True}))
        for each in table.constraints
        if isinstance(each, sa.CheckConstraint)
    }


def table_of(*values: str) -> sa.Table:
    kind = sa.Enum(*values, native_enum=False, length=50)
    table = sa.Table("paint", sa.MetaData(), sa.Column("colour", kind))
    check_enums(table)
    return table


def test_an_annotation_means_a_text_of_fifty_with_a_check() -> None:
    table = EnumChecksPaint.__table__
    assert isinstance(table, sa.Table)
    assert [str(table.c[name].type) for name in ("colour", "finish")] == ["VARCHAR(50)"] * 2
    found = checks(table)
    assert len(found) == 2
    assert {name.rpartition("_")[0] for name in found} == {
        "ck_enum_checks_paint_colour",
        "ck_enum_checks_paint_finish",
    }
    assert any("IN ('BLUE', 'RED')" in text for text in found.values())
    assert any("IN ('it''s', 'matt')" in text for text in found.values())


def test_other_values_are_another_constraint_and_another_order_is_none() -> None:
    assert checks(table_of("a", "b")) == checks(table_of("b", "a"))
    assert checks(table_of("a", "b")).keys() != checks(table_of("a", "c")).keys()


def test_a_table_that_is_looked_at_again_gets_no_second_check() -> None:
    table = table_of("a")
    check_enums(table)
    assert len(checks(table)) == 1


def test_a_value_that_does_not_fit_is_told_where_it_is_written() -> None:
    long = enum.Enum("long", {"x" * 51: 1})
    with pytest.raises(ValueError, match="50 < 51"):
        sa.Enum(long, native_enum=False, length=50)
