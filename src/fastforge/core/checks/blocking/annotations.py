"""Annotations: which type a parameter, an attribute or a result is said to have."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Final

from .knowledge import CONTAINERS, canonical, is_class
from .scopes import Scope
from .values import Instance, Made, Many, Named, OwnClass, Value, joined

__all__ = ["meaning_of_annotation"]

_WRAPPERS: Final = frozenset({"Annotated", "Final", "ClassVar", "Optional", "Required"})


def meaning_of_annotation(
    node: ast.AST | None, scope: Scope, value_of: Callable[[ast.AST, Scope], Value]
) -> Value:
    """Return what something is that is annotated so; None for what the tables do not know.

    Args:
        node: The annotation.
        scope: Where it is read.
        value_of: Tells what a name in it means.
    """
    match node:
        case ast.Constant(value=str(text)):
            return meaning_of_annotation(_parsed(text), scope, value_of)
        case ast.BinOp(op=ast.BitOr()):
            sides = (node.left, node.right)
            known = [
                meaning_of_annotation(side, scope, value_of) for side in sides if not _is_none(side)
            ]
            return joined(known)
        case ast.Subscript():
            return _of_subscript(node, scope, value_of)
        case ast.Name() | ast.Attribute():
            return _instance(value_of(node, scope))
    return None


def _of_subscript(
    node: ast.Subscript, scope: Scope, value_of: Callable[[ast.AST, Scope], Value]
) -> Value:
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    outer = value_of(node.value, scope)
    first = meaning_of_annotation(parts[0], scope, value_of) if parts else None
    if not isinstance(outer, Named):
        return _instance(outer)
    module, _, name = outer.name.rpartition(".")
    if name in _WRAPPERS and module in ("typing", "typing_extensions"):
        return first
    if outer.name in CONTAINERS:
        return None if first is None else Many(first)
    return _instance(outer)


def _instance(value: Value) -> Value:
    """Return what a name of a type stands for; a name of ours may stand for an annotation."""
    if isinstance(value, Named):
        name = canonical(value.name)
        return Made(name) if is_class(name) else None
    if isinstance(value, OwnClass):
        return Instance(value)
    return value if isinstance(value, Made | Instance) else None


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _parsed(text: str) -> ast.AST | None:
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError:
        return None
