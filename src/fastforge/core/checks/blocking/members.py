"""Members: what a class of the project says of its attributes and methods."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from .scopes import Binding, Scope, scope_of
from .values import Function, OwnClass

__all__ = ["Members", "is_property", "members_of"]

Written: TypeAlias = tuple[Binding, Scope]
"""How a member gets its value, and where that is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """The members of a class by name.

    Attributes:
        declared: In its body.
        on_self: Where a method sets them.
    """

    declared: Mapping[str, list[Written]]
    on_self: Mapping[str, list[Written]]

    def written(self, name: str, *, is_instance: bool) -> list[Written]:
        """Return all that is said of a member of an instance, or of the class itself."""
        more = self.on_self.get(name, []) if is_instance else []
        return [*self.declared.get(name, []), *more]


def members_of(owner: OwnClass) -> Members:
    """Read what a class says."""
    declared: dict[str, list[Written]] = {}
    on_self: dict[str, list[Written]] = {}
    for statement in owner.node.body:
        for name, binding in _declared(statement):
            declared.setdefault(name, []).append((binding, owner.scope))
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            for name, written in _set_on_self(owner, statement):
                on_self.setdefault(name, []).append(written)
    return Members(declared=declared, on_self=on_self)


def _declared(statement: ast.stmt) -> Iterator[tuple[str, Binding]]:
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield statement.name, Binding("definition", statement)
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name, Binding("annotation", statement)
        case ast.Assign():
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    yield target.id, Binding("value", statement.value)


def _set_on_self(
    owner: OwnClass, method: ast.FunctionDef | ast.AsyncFunctionDef
) -> Iterator[tuple[str, Written]]:
    if not method.args.args:
        return
    own = method.args.args[0].arg
    inside = scope_of(Function(method, owner.scope, owner))
    for node in inside.nodes:
        match node:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=who), attr=name)]):
                written = Binding("value", node.value)
            case ast.AnnAssign(target=ast.Attribute(value=ast.Name(id=who), attr=name)):
                written = Binding("annotation", node)
            case _:
                continue
        if who == own:
            yield name, (written, inside)


def is_property(method: ast.FunctionDef) -> bool:
    """Return whether a method is read as an attribute."""
    names = {ast.unparse(each).rpartition(".")[2] for each in method.decorator_list}
    return not names.isdisjoint({"property", "cached_property"})
