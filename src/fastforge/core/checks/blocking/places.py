"""Places: where a call stands in a function, which decides whether and how it runs."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Places", "places_of"]

_TAKES_ALL: Final = frozenset(
    {
        *("list", "tuple", "set", "frozenset", "dict", "sorted", "sum", "any", "all", "min", "max"),
        *("next", "join", "extend", "update"),
    }
)


@dataclass(frozen=True, slots=True)
class Places:
    """The calls of a function by where they stand.

    Attributes:
        awaited: The event loop goes on meanwhile.
        consumed: What they give is gone through, so that a generator runs.
        kept: Something else is done with what they give: it is entered, or has a method called.
    """

    awaited: set[ast.AST] = field(default_factory=set)
    consumed: set[ast.AST] = field(default_factory=set)
    kept: set[ast.AST] = field(default_factory=set)


def places_of(nodes: Iterable[ast.AST]) -> Places:
    """Return where the calls among the nodes of a function stand."""
    places = Places()
    for node in nodes:
        places.awaited.update(_awaited(node))
        places.consumed.update(_consumed(node))
        places.kept.update(_kept(node))
    return places


def _awaited(node: ast.AST) -> Iterable[ast.AST]:
    match node:
        case ast.Await():
            return (node.value,)
        case ast.AsyncWith():
            return (item.context_expr for item in node.items)
        case ast.AsyncFor() | ast.comprehension(is_async=1):
            return (node.iter,)
    return ()


def _consumed(node: ast.AST) -> Iterable[ast.AST]:
    match node:
        case ast.For() | ast.comprehension(is_async=0):
            return (node.iter,)
        case ast.With():
            return (item.context_expr for item in node.items)
        case ast.Starred():
            return (node.value,)
        case ast.Call() if _called_name(node) in _TAKES_ALL:
            return node.args
    return ()


def _kept(node: ast.AST) -> Iterable[ast.AST]:
    match node:
        case ast.With():
            return (item.context_expr for item in node.items)
        case ast.Attribute():
            return (node.value,)
    return ()


def _called_name(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
