"""Values: how the text of a command line becomes a Python value, and what is said if it cannot."""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import click

from .._utils import did_you_mean

__all__ = ["parameter_type", "split_annotation"]


class _Parsed(click.ParamType[Any]):
    """A type whose own constructor reads the text."""

    def __init__(self, name: str, parse: Callable[[str], Any], example: str) -> None:
        self.name = name
        self.parse = parse
        self.example = example

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return self.parse(value) if isinstance(value, str) else value
        except (ValueError, InvalidOperation):
            self.fail(f"{value!r} is no {self.name}, write for example {self.example}", param, ctx)


class _Choice(click.Choice[str]):
    """A choice between words that stand for values."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(list(values))
        self.values = values

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value not in self.values:
            near = did_you_mean(str(value), self.values)
            choices = ", ".join(self.values)
            self.fail(f"{value!r} is none of {choices}" + (f", {near}" if near else ""), param, ctx)
        return self.values[value]


_SIMPLE: Final[Mapping[Any, click.ParamType[Any]]] = {
    str: click.STRING,
    bool: click.BOOL,
    int: _Parsed("integer", int, "10"),
    float: _Parsed("number", float, "1.5"),
    Decimal: _Parsed("number", Decimal, "1.50"),
    Path: click.Path(path_type=Path),
    datetime: _Parsed("time", datetime.fromisoformat, "2026-01-31T12:00:00+00:00"),
    date: _Parsed("date", date.fromisoformat, "2026-01-31"),
    UUID: _Parsed("UUID", UUID, "01234567-89ab-cdef-0123-456789abcdef"),
}


def split_annotation(annotation: Any) -> tuple[Any, str]:
    """Return the type of an annotation, without `| None`, and its help text."""
    text = ""
    if typing.get_origin(annotation) is typing.Annotated:
        annotation, *metadata = typing.get_args(annotation)
        text = next((item for item in metadata if isinstance(item, str)), "")
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        members = [member for member in typing.get_args(annotation) if member is not type(None)]
        if len(members) == 1:
            return members[0], text
    return annotation, text


def parameter_type(type_: Any) -> click.ParamType[Any] | None:
    """Return click's form of one value's type; None when it has none."""
    if typing.get_origin(type_) is typing.Literal:
        return _Choice({str(value): value for value in typing.get_args(type_)})
    if isinstance(type_, type) and issubclass(type_, enum.Enum):
        return _Choice({_word(member): member for member in type_})
    return _SIMPLE.get(type_) if isinstance(type_, typing.Hashable) else None


def _word(member: enum.Enum) -> str:
    return member.value if isinstance(member.value, str) else member.name.lower()
