"""Members: what a class of the project says of its attributes and methods."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .scopes import Binding, Scope, nodes_of, scope_of
from .values import Function, OwnClass

__all__ = ["is_property", "members"]


def members(owner: OwnClass, name: str, is_instance: bool) -> Iterator[tuple[Binding, Scope]]:
    """Yield what a class says of a member: in its body, and where a method sets it on `self`."""
    for statement in owner.node.body:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                if statement.name == name:
                    yield Binding("definition", statement), owner.scope
                elif is_instance:
                    yield from _set_on_self(owner, statement, name)
            case ast.AnnAssign(target=ast.Name(id=found)) if found == name:
                yield Binding("annotation", statement), owner.scope
            case ast.Assign():
                if any(
                    isinstance(each, ast.Name) and each.id == name for each in statement.targets
                ):
                    yield Binding("value", statement.value), owner.scope


def _set_on_self(
    owner: OwnClass, method: ast.FunctionDef | ast.AsyncFunctionDef, name: str
) -> Iterator[tuple[Binding, Scope]]:
    if not method.args.args:
        return
    own = method.args.args[0].arg
    for node in nodes_of(method.body):
        match node:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=who), attr=what)]):
                written: Binding = Binding("value", node.value)
            case ast.AnnAssign(target=ast.Attribute(value=ast.Name(id=who), attr=what)):
                written = Binding("annotation", node)
            case _:
                continue
        if (who, what) == (own, name):
            yield written, scope_of(Function(method, owner.scope, owner))


def is_property(method: ast.FunctionDef) -> bool:
    """Return whether a method is read as an attribute."""
    names = {ast.unparse(each).rpartition(".")[2] for each in method.decorator_list}
    return not names.isdisjoint({"property", "cached_property"})
