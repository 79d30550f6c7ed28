"""Fields: what `title:str:unique` says of a resource's column, its schema and its test."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from .._utils import did_you_mean, nearest
from ..exceptions import CommandError, ErrorGroup
from .imports import Import

__all__ = ["LONGEST_NAME", "Field", "FieldType", "read_fields"]

LONGEST_NAME: Final = 30
"""Longer names of apps, resources and fields give tables whose names PostgreSQL cuts."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_MODIFIERS: Final = ("unique", "index", "null")
_OF_A_MODEL: Final = frozenset({"id", "metadata", "registry", "awaitable_attrs"})
_OF_ANNOTATIONS: Final = frozenset({"bool", "dict", "dt", "float", "int", "str"})
# What comes to mind first from another framework.
_ALSO_CALLED: Final = MappingProxyType(
    {
        "string": "str", "varchar": "str", "char": "str", "charfield": "str", "email": "str",
        "url": "str", "slug": "str", "textfield": "text", "integer": "int", "bigint": "int",
        "number": "int", "double": "float", "real": "float", "numeric": "decimal",
        "money": "decimal", "boolean": "bool", "timestamp": "datetime", "guid": "uuid",
        "jsonb": "json", "dict": "json", "object": "json",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldType:
    """A type that a field may have.

    Args:
        python: The annotation.
        column: The type of the column, empty when the annotation says it.
        accepted: The annotation of what is sent: stricter, so that the database can take it.
        definition: How `accepted` is defined, where pydantic does not bring it.
        longest: The most characters that it takes; 0 for what is no text.
        example: An expression for a test's value that differs with `number`.
        imports: What all of this needs, for the model and for the schemas.
        is_comparable: Whether a column of it can be unique or have an index.
    """

    python: str
    column: str = ""
    accepted: str
    definition: str = ""
    longest: int = 0
    example: str
    imports: tuple[Import, ...] = ()
    is_comparable: bool = True


_DATES: Final = Import(module="datetime", alias="dt")

TYPES: Final[Mapping[str, FieldType]] = MappingProxyType(
    {
        "str": FieldType(
            python="str",
            column="String(200)",
            accepted="ShortText",
            definition="Annotated[str, Field(min_length=1, max_length=200)]",
            longest=200,
            example='f"{name} {{number}}"',
            imports=(Import(module="sqlalchemy", name="String"),),
        ),
        "text": FieldType(
            python="str",
            column="Text",
            accepted="LongText",
            definition="Annotated[str, Field(min_length=1, max_length=100_000)]",
            longest=100_000,
            example='f"{name} {{number}}"',
            imports=(Import(module="sqlalchemy", name="Text"),),
        ),
        "int": FieldType(
            python="int",
            accepted="Int32",
            definition="Annotated[int, Field(ge=-(2**31), lt=2**31)]",
            example="number",
        ),
        "float": FieldType(
            python="float",
            accepted="FiniteFloat",
            example="number + 0.5",
            imports=(Import(module="pydantic", name="FiniteFloat"),),
        ),
        "decimal": FieldType(
            python="Decimal",
            column="Numeric(12, 2)",
            accepted="ExactAmount",
            definition="Annotated[Decimal, Field(max_digits=12, decimal_places=2)]",
            example='f"{{number}}.50"',
            imports=(
                Import(module="decimal", name="Decimal"),
                Import(module="sqlalchemy", name="Numeric"),
            ),
        ),
        "bool": FieldType(
            python="bool",
            accepted="bool",
            example="number % 2 == 0",
            is_comparable=False,
        ),
        "date": FieldType(
            python="dt.date",
            accepted="dt.date",
            example='f"2026-01-{{number:02}}"',
            imports=(_DATES,),
        ),
        "datetime": FieldType(
            python="dt.datetime",
            accepted="AwareDatetime",
            example='f"2026-01-{{number:02}}T12:00:00Z"',
            imports=(_DATES, Import(module="pydantic", name="AwareDatetime")),
        ),
        "uuid": FieldType(
            python="UUID",
            accepted="UUID",
            example='f"00000000-0000-4000-8000-{{number:012}}"',
            imports=(Import(module="uuid", name="UUID"),),
        ),
        "json": FieldType(
            python="dict[str, Any]",
            column="JSON",
            accepted="dict[str, Any]",
            example='{{"number": number}}',
            imports=(
                Import(module="typing", name="Any"),
                Import(module="sqlalchemy", name="JSON"),
            ),
            is_comparable=False,
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a resource.

    Args:
        name: Its name.
        type_name: The name of its type, one of `TYPES`.
        is_unique: Whether no two rows may have the same value.
        is_indexed: Whether it is looked up often.
        is_nullable: Whether a row may have none.
    """

    name: str
    type_name: str
    is_unique: bool = False
    is_indexed: bool = False
    is_nullable: bool = False

    @property
    def type(self) -> FieldType:
        """What its type means."""
        return TYPES[self.type_name]

    @property
    def example(self) -> str:
        """An expression for the value in a test, different for each `number` from 1 to 28."""
        return self.type.example.format(name=self.name)


def read_fields(texts: Sequence[str]) -> tuple[Field, ...]:
    """Read fields as they are typed: `title:str`, `email:str:unique`, `bio:text:null`.

    Raises:
        ErrorGroup: Every mistake in them.
    """
    fields: list[Field] = []
    errors: list[CommandError] = []
    for text in texts:
        name, *words = text.split(":")
        type_name, modifiers = words[0] if words else "", words[1:]
        found = [*_name_errors(name, text), *_type_errors(text, name, type_name)]
        found += _modifier_errors(text, type_name, modifiers)
        if not found and name in {field.name for field in fields}:
            found = [_error(f"the field {name!r} is given twice", "leave one out")]
        errors.extend(found)
        if not found:
            fields.append(_field(name, type_name, modifiers))
    if errors:
        raise errors[0] if len(errors) == 1 else ErrorGroup(errors)
    return tuple(fields)


def _field(name: str, type_name: str, modifiers: Sequence[str]) -> Field:
    return Field(
        name=name,
        type_name=type_name,
        is_unique="unique" in modifiers,
        is_indexed="index" in modifiers,
        is_nullable="null" in modifiers,
    )


def _name_errors(name: str, text: str) -> Iterable[CommandError]:
    if not _NAME.fullmatch(name) or name.endswith("_") or "__" in name:
        yield _error(
            f"{name!r} cannot be the name of a field",
            f"use small letters, digits and _, for example title:str; got {text!r}",
        )
    elif len(name) > LONGEST_NAME:
        yield _error(
            f"the field {name!r} has {len(name)} characters",
            f"use at most {LONGEST_NAME}",
        )
    elif keyword.iskeyword(name):
        yield _error(f"the field {name!r} is a keyword of Python", f"for example {name}_name")
    elif name in _reserved():
        yield _error(
            f"the field {name!r} is taken by every model or schema",
            "it is there already" if name == "id" else f"choose another, for example {name}_value",
        )


def _reserved() -> frozenset[str]:
    from pydantic import BaseModel  # it takes its time, and only fields need it

    of_a_schema = {name for name in dir(BaseModel) if not name.startswith("_")}
    return _OF_A_MODEL | _OF_ANNOTATIONS | of_a_schema


def _type_errors(text: str, name: str, type_name: str) -> Iterable[CommandError]:
    if type_name in TYPES:
        return
    if not type_name:
        yield _error(f"the field {text!r} has no type", f"write {name or 'title'}:str")
    elif type_name.endswith("?") and type_name[:-1] in TYPES:
        yield _error(f"{type_name!r} is no type", f"write {name}:{type_name[:-1]}:null")
    else:
        known = {**{name: name for name in TYPES}, **_ALSO_CALLED}
        meant = known.get(nearest(type_name, known) or "")
        hint = f"did you mean {meant!r}?" if meant else f"there are {', '.join(TYPES)}"
        yield _error(f"the field {name!r} has the unknown type {type_name!r}", hint)


def _modifier_errors(text: str, type_name: str, modifiers: Sequence[str]) -> Iterable[CommandError]:
    for modifier in modifiers:
        if modifier not in _MODIFIERS:
            hint = did_you_mean(modifier, _MODIFIERS) or f"there are {', '.join(_MODIFIERS)}"
            yield _error(f"{modifier!r} in {text!r} says nothing of a field", hint)
        elif modifier != "null" and type_name in TYPES and not TYPES[type_name].is_comparable:
            yield _error(f"a field of type {type_name} cannot be {modifier}", f"got {text!r}")


def _error(message: str, hint: str) -> CommandError:
    return CommandError(message, code="scaffold.E012", hint=hint)
