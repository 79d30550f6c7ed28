"""Values: what an expression of the source may mean, as far as it is plainly written."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from .scopes import Scope

__all__ = [
    "NOTHING",
    "Function",
    "FunctionNode",
    "Instance",
    "Made",
    "Many",
    "Named",
    "Nothing",
    "OwnClass",
    "Value",
    "joined",
]

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True, slots=True)
class Named:
    """Something outside of the project, by its dotted name: a module, a class, a function."""

    name: str


@dataclass(frozen=True, slots=True)
class Made:
    """An instance of a class outside of the project.

    Args:
        type: The dotted name of the class.
        origin: The call that blocks, if it comes from one.
    """

    type: str
    origin: ast.Call | None = None


@dataclass(frozen=True, slots=True)
class Many:
    """Something that gives values one after the other: a list, an iterator."""

    of: Value


@dataclass(frozen=True, slots=True)
class OwnClass:
    """A class of the project, and the scope that it is written in."""

    node: ast.ClassDef
    scope: Scope


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance of a class of the project."""

    of: OwnClass


@dataclass(frozen=True, slots=True)
class Function:
    """A function, a method or a lambda of the project.

    Args:
        node: What is written.
        scope: Where.
        owner: The class of a method.
    """

    node: FunctionNode
    scope: Scope
    owner: OwnClass | None = None


@dataclass(frozen=True, slots=True)
class Nothing:
    """`None`, which a name often is before it is something."""


NOTHING: Final = Nothing()

Value: TypeAlias = Named | Made | Many | OwnClass | Instance | Function | Nothing | None
"""None: nobody can tell by reading."""


def joined(values: Iterable[Value]) -> Value:
    """Return what all of these are together: the one that they agree about, or None."""
    different = {value for value in values if value != NOTHING}
    return different.pop() if len(different) == 1 else None
