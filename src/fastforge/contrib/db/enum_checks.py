"""Enum checks: an enum is kept as text, and the database refuses other values.

PostgreSQL's own enum types lose no value, do not change their order, and are rewritten with every
row to become something else. A text with a CHECK changes in a moment.
"""

from __future__ import annotations

import enum
import hashlib
from typing import Any, Final, Literal

from sqlalchemy import CheckConstraint, Enum, String, Table, type_coerce

__all__ = ["ENUM_TYPES", "check_enums"]

LENGTH: Final = 50
_CHECKED: Final = "fastforge_enum_checked"

ENUM_TYPES: Final[dict[Any, Enum]] = {
    enum.Enum: Enum(enum.Enum, native_enum=False, length=LENGTH),
    Literal: Enum(enum.Enum, native_enum=False, length=LENGTH),
}
"""What `Mapped[Colour]` and `Mapped[Literal["red", "blue"]]` mean in a Model."""


def check_enums(table: Table) -> None:
    """Add a CHECK for each enum of a table that is kept as text.

    Its name ends in a hash of the values, so that other values are another constraint: that is
    seen, whatever form a database gives to the text of a CHECK.
    """
    for column in list(table.columns):
        type_ = column.type
        if not isinstance(type_, Enum) or type_.native_enum or type_.create_constraint:
            continue
        if not column.info.get(_CHECKED):
            column.info[_CHECKED] = True
            values = sorted(type_.enums)
            digest = hashlib.sha256("\n".join(values).encode()).hexdigest()[:8]
            condition = type_coerce(column, String()).in_(values)
            table.append_constraint(CheckConstraint(condition, name=f"{column.name}_{digest}"))
