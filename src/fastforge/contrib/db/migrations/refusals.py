"""Refusals: changes that would fail on a table with rows, or that no file can describe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Column

from ....exceptions import Location
from .enums import native_enum, removed_values
from .errors import ChangeRefused
from .questions import Suspicion
from .schema import Schema
from .shapes import TableShape

__all__ = ["enum_refusals", "owner_refusals", "rename_refused", "table_refusals"]


def rename_refused(suspicion: Suspicion, where: Location | None) -> ChangeRefused:
    """Return the error for a suspicion that nobody is there to answer."""
    if suspicion.column is None:
        return ChangeRefused(
            f"{suspicion.what} went and {suspicion.new_name}, which is like it, came:"
            " that may be a rename, and dropping the table would lose its rows",
            code="db.E117",
            hint="answer the question in a terminal, or say --renamed or --not-renamed",
            where=where,
        )
    return ChangeRefused(
        f"{suspicion.what} went and {suspicion.new_name} of the same type came:"
        " that may be a rename, and dropping the column would lose its values",
        code="db.E110",
        hint="answer the question in a terminal, or say --renamed or --not-renamed",
        where=where,
    )


def table_refusals(
    old: Mapping[str, TableShape],
    new: Mapping[str, TableShape],
    locations: Mapping[str, Location],
) -> Iterator[ChangeRefused]:
    """Yield an error for every change of a kept table that cannot be written as it is."""
    for key, shape in new.items():
        if key in old:
            where = locations.get(key)
            yield from _not_null(old[key], shape, where)
            yield from _primary_key(old[key], shape, where)
            yield from _nameless(old[key], shape, where)
            yield from _enum_values(old[key], shape, where)


def owner_refusals(
    label: str,
    new: Mapping[str, TableShape],
    schema: Schema,
    locations: Mapping[str, Location],
) -> Iterator[ChangeRefused]:
    """Yield an error for every table of an app that another app's migrations made."""
    for key in new:
        if key in schema and schema[key].owner != label:
            yield ChangeRefused(
                f"the table {key} belongs to a model of {label!r}, but the migrations of"
                f" {schema[key].owner!r} made it",
                code="db.E113",
                hint="give the model another __tablename__, or move it back",
                where=locations.get(key),
            )


def enum_refusals(
    new: Mapping[str, TableShape],
    others: Iterable[TableShape],
    locations: Mapping[str, Location],
) -> Iterator[ChangeRefused]:
    """Yield an error for every enum type that two tables would fill with different values."""
    known: dict[str, tuple[list[str], str]] = {}
    for shape in [*others, *new.values()]:
        for name, column in shape.columns.items():
            enum = native_enum(column.type)
            if enum is None:
                continue
            place = f"{shape.key}.{name}"
            values, first = known.setdefault(str(enum.name), (enum.enums, place))
            if values != enum.enums:
                yield ChangeRefused(
                    f"the columns {first} and {place} have different enums that PostgreSQL would"
                    f" both call {enum.name}",
                    code="db.E129",
                    hint='give one a name: mapped_column(Enum(..., name="..."))',
                    where=locations.get(shape.key),
                )


def _not_null(old: TableShape, new: TableShape, where: Location | None) -> Iterator[ChangeRefused]:
    for name, column in new.columns.items():
        if name not in old.columns and not _has_value(column):
            only_python = ", and a Python default does not" if column.default is not None else ""
            yield ChangeRefused(
                f"the new column {new.key}.{name} is NOT NULL, and nothing fills it in the rows"
                f" that are there{only_python}",
                code="db.E111",
                hint="give it a server_default, or make it nullable",
                where=where,
            )


def _has_value(column: Column[Any]) -> bool:
    # Computed and Identity are server defaults too.
    return bool(column.nullable) or column.server_default is not None


def _primary_key(
    old: TableShape, new: TableShape, where: Location | None
) -> Iterator[ChangeRefused]:
    if old.primary_key != new.primary_key:
        yield ChangeRefused(
            f"the primary key of {new.key} changed from ({', '.join(old.primary_key)})"
            f" to ({', '.join(new.primary_key)})",
            code="db.E112",
            hint=f"write it by hand: manage makemigrations {new.owner} --empty",
            where=where,
        )


def _nameless(old: TableShape, new: TableShape, where: Location | None) -> Iterator[ChangeRefused]:
    for name in [*old.items, *new.items]:
        if name.endswith("without a name") and not (name in old.items and name in new.items):
            yield ChangeRefused(
                f"{new.key} has a changed {name}, and without one it cannot be dropped",
                code="db.E115",
                hint="give it a name",
                where=where,
            )


def _enum_values(
    old: TableShape, new: TableShape, where: Location | None
) -> Iterator[ChangeRefused]:
    for name, values in removed_values(old, new).items():
        yield ChangeRefused(
            f"the enum of {new.key}.{name} lost {', '.join(map(repr, values))},"
            " and PostgreSQL cannot drop a value of an enum type",
            code="db.E127",
            hint="keep the value, or give the new enum another name",
            where=where,
        )
