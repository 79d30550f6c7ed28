"""Refusals: changes that would fail on a table with rows, or that no file can describe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import Identity

from ....exceptions import Location
from .casting import has_cast
from .columns import is_replaced
from .enums import new_values, same_enums, type_key
from .errors import ChangeRefused
from .fills import Unfilled
from .items import mentions
from .named_types import native_enum
from .questions import Suspicion
from .rendering import Renderer
from .schema import Schema
from .shapes import TableShape

__all__ = [
    "enum_refusals",
    "owner_refusals",
    "rename_refused",
    "table_refusals",
    "unfilled_refused",
]


def rename_refused(suspicion: Suspicion, where: Location | None) -> ChangeRefused:
    """Return the error for a suspicion that nobody is there to answer, or that no file can be."""
    if suspicion.moves:
        return ChangeRefused(
            f"{suspicion.what} went and {suspicion.new_key} came: a table that moves to another"
            " schema is dropped and made, and its rows would be lost",
            code="db.E142",
            hint="say --not-renamed, and copy the rows in the file between the two:"
            f' op.execute("INSERT INTO {suspicion.new_key} ... SELECT ... FROM'
            f' {suspicion.table.key}"), and setval() for its ids',
            where=where,
        )
    if suspicion.column is None:
        return ChangeRefused(
            f"{suspicion.what} went and {suspicion.new_key}, which is like it, came:"
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
    renderer: Renderer,
) -> Iterator[ChangeRefused]:
    """Yield an error for every change of a kept table that cannot be written as it is."""
    for key, shape in new.items():
        if key in old:
            where = locations.get(key)
            yield from _primary_key(old[key], shape, where)
            yield from _nameless(old[key], shape, where)
            yield from _enum_values(old[key], shape, where)
            yield from _values_used(old[key], shape, where, renderer)
            yield from _casts(old[key], shape, where, renderer)
            yield from _identity_keys(old[key], shape, where)


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
            values, first = known.setdefault(type_key(enum), (enum.enums, place))
            if values != enum.enums:
                yield ChangeRefused(
                    f"the columns {first} and {place} have different enums that PostgreSQL would"
                    f" both call {enum.name}",
                    code="db.E129",
                    hint='give one a name: mapped_column(Enum(..., name="..."))',
                    where=locations.get(shape.key),
                )


def unfilled_refused(unfilled: Unfilled, where: Location | None) -> ChangeRefused:
    """Return the error for a column that nobody is there to fill."""
    key, default = unfilled.key, unfilled.suggestion
    fill = f"--fill {key}={default or 'SQL'}"
    if unfilled.computed:
        return ChangeRefused(
            f"the column {key} is not computed any more: it is dropped and added, and the values"
            " of its rows would be lost",
            code="db.E159",
            hint=f"say what they get: {fill}"
            + ("" if unfilled.needs_value else "; nothing after the `=` lets them go"),
            where=where,
        )
    if unfilled.is_new:
        only_python = ", and a Python default does not" if unfilled.column.default else ""
        return ChangeRefused(
            f"the new column {key} is NOT NULL, and nothing fills it in the rows"
            f" that are there{only_python}",
            code="db.E111",
            hint=f"say what they get: {fill}; or give it a server_default, or make it nullable",
            where=where,
        )
    return ChangeRefused(
        f"the column {key} becomes NOT NULL, and rows may be there that have no value in it",
        code="db.E132",
        hint=f"say what they get: {fill}; nothing after the `=` says that there are none",
        where=where,
    )


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
    for name, before, after in same_enums(old, new):
        lost = [value for value in before.enums if value not in after.enums]
        kept = [value for value in after.enums if value in before.enums]
        if lost:
            yield ChangeRefused(
                f"the enum of {new.key}.{name} lost {', '.join(map(repr, lost))},"
                " and PostgreSQL cannot drop a value of an enum type",
                code="db.E127",
                hint=f"keep the value, or give the new enum another name than {after.name!r}:"
                " the column is then cast to the new type",
                where=where,
            )
        elif kept != before.enums:
            yield ChangeRefused(
                f"the enum of {new.key}.{name} has its values in another order,"
                " and PostgreSQL cannot move a value of an enum type",
                code="db.E130",
                hint="keep the order (new values may stand anywhere), or give the new enum"
                f" another name than {after.name!r}: the column is then cast to the new type",
                where=where,
            )


def _values_used(
    old: TableShape, new: TableShape, where: Location | None, renderer: Renderer
) -> Iterator[ChangeRefused]:
    changed = [item for key, item in new.items.items() if key not in old.items]
    for name, before, after in same_enums(old, new):
        default = renderer.default(new.columns[name].server_default)
        parts = [renderer.text(item) for item in changed if mentions(renderer.text(item), name)]
        if default != renderer.default(old.columns[name].server_default):
            parts.append(default)
        for value in new_values(before, after):
            if any(f"'{value}'" in part or f'"{value}"' in part for part in parts):
                yield ChangeRefused(
                    f"{new.key}.{name} gains the value {value!r} and uses it at once, which"
                    " PostgreSQL allows only after the commit",
                    code="db.E131",
                    hint="make the migration of the value first, then that of the default,"
                    " constraint or index that uses it",
                    where=where,
                )


def _casts(
    old: TableShape, new: TableShape, where: Location | None, renderer: Renderer
) -> Iterator[ChangeRefused]:
    for name, column in new.columns.items():
        before = old.columns.get(name)
        if before is None or is_replaced(before, column, renderer):
            continue
        if renderer.same_type(before.type, column.type):
            continue
        ways = ((before, column), (column, before))
        if not all(has_cast(one.type, other.type) for one, other in ways):
            types = [renderer.sql_type(each.type) for each in (before, column)]
            yield ChangeRefused(
                f"the type of {new.key}.{name} changed from {types[0]} to {types[1]}, and there"
                " is no cast between them in both directions",
                code="db.E133",
                hint=f"write it by hand (manage makemigrations {new.owner} --empty):"
                " op.alter_column(..., type_=..., postgresql_using=...), or add a new column",
                where=where,
            )


def _identity_keys(
    old: TableShape, new: TableShape, where: Location | None
) -> Iterator[ChangeRefused]:
    for name, column in new.columns.items():
        before = old.columns.get(name)
        if before is None or name not in new.primary_key or name not in old.primary_key:
            continue
        if isinstance(before.server_default, Identity) != isinstance(
            column.server_default, Identity
        ):
            yield ChangeRefused(
                f"the primary key {new.key}.{name} changed between a sequence and Identity, and"
                " its next number would be lost",
                code="db.E135",
                hint=f"keep it as it was, or write it by hand: manage makemigrations {new.owner}"
                " --empty",
                where=where,
            )
