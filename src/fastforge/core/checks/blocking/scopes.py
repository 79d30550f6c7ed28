"""Scopes: which names a module or a function binds, and to what."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from .values import Function, FunctionNode, OwnClass, Value

if TYPE_CHECKING:
    from ..source import AppModule

__all__ = ["Binding", "Scope", "is_for_types", "nodes_of", "scope_of"]

BindingKind: TypeAlias = Literal[
    "value", "enter", "element", "annotation", "import", "definition", "self", "class", "unknown"
]

_DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_INNER: Final = (*_DEFINITIONS, ast.Lambda)


@dataclass(frozen=True, slots=True)
class Binding:
    """One of the ways in which a name gets its value.

    Args:
        kind: What the expression is to the name: its value, what a `with` enters, ...
        node: The expression or the definition.
        name: The dotted name of what is imported.
    """

    kind: BindingKind
    node: ast.AST | None = None
    name: str = ""


@dataclass(frozen=True, eq=False)
class Scope:
    """The names of a module, or of one function in it.

    Args:
        file: The module.
        node: Whose body it is.
        parent: The scope around it; None for a module.
        owner: The class of a method.
    """

    file: AppModule
    node: ast.Module | FunctionNode
    parent: Scope | None = None
    owner: OwnClass | None = None
    values: dict[str, Value] = field(default_factory=dict)
    inner: dict[FunctionNode, Scope] = field(default_factory=dict)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """What runs in it, inner expressions first; the bodies of inner functions do not."""
        body = self.node.body
        return list(nodes_of(body if isinstance(body, list) else [body]))

    @cached_property
    def bindings(self) -> Mapping[str, list[Binding]]:
        """The names that it binds."""
        found: dict[str, list[Binding]] = {}
        elsewhere: set[str] = set()
        if not isinstance(self.node, ast.Module):
            _add(found, _parameters(self.node, self.owner))
        for node in self.nodes:
            if isinstance(node, ast.Global | ast.Nonlocal):
                elsewhere.update(node.names)
            else:
                _add(found, _bound(node, self.file))
        return {name: bound for name, bound in found.items() if name not in elsewhere}

    @cached_property
    def hides_builtins(self) -> bool:
        """Whether a module imports names that nobody can see here."""
        return any(
            isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in self.nodes
        )


def scope_of(function: Function) -> Scope:
    """Return the scope inside of a function."""
    outer, node = function.scope, function.node
    if node not in outer.inner:
        outer.inner[node] = Scope(file=outer.file, node=node, parent=outer, owner=function.owner)
    return outer.inner[node]


def nodes_of(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield what runs where the nodes stand, inner ones first, but for `if TYPE_CHECKING`."""
    for node in body:
        if isinstance(node, _INNER):
            yield node
            continue
        if isinstance(node, ast.If) and is_for_types(node.test):
            yield from (each for each in node.body if isinstance(each, ast.ImportFrom | ast.Import))
            yield from nodes_of(node.orelse)
            continue
        yield from nodes_of(ast.iter_child_nodes(node))
        yield node


def is_for_types(test: ast.expr) -> bool:
    """Return whether an `if` asks for TYPE_CHECKING: what it holds never runs."""
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return name == "TYPE_CHECKING"


_Bound: TypeAlias = Iterator[tuple[str, Binding]]
_UNKNOWN: Final = Binding("unknown")


def _add(found: dict[str, list[Binding]], bound: Iterable[tuple[str, Binding]]) -> None:
    for name, binding in bound:
        found.setdefault(name, []).append(binding)


def _parameters(node: FunctionNode, owner: OwnClass | None) -> _Bound:
    arguments = node.args
    for index, parameter in enumerate(
        (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    ):
        if parameter.annotation is not None:
            yield parameter.arg, Binding("annotation", parameter.annotation)
        else:
            yield parameter.arg, _receiver(node) if owner and not index else _UNKNOWN
    for rest in (arguments.vararg, arguments.kwarg):
        if rest is not None:
            yield rest.arg, _UNKNOWN


def _receiver(node: FunctionNode) -> Binding:
    """Return what the first parameter of a method is."""
    decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
    names = {getattr(each, "id", "") for each in decorators}
    if "staticmethod" in names:
        return _UNKNOWN
    return Binding("class" if "classmethod" in names else "self")


def _bound(node: ast.AST, file: AppModule) -> _Bound:
    if isinstance(node, ast.ImportFrom):
        return _imported_from(node, file)
    bind = _BINDS.get(type(node))
    return iter(()) if bind is None else bind(node)


def _assignment(node: ast.Assign) -> _Bound:
    for target in node.targets:
        yield from _assigned(target, node.value)


def _annotated(node: ast.AnnAssign) -> _Bound:
    yield from _target(node.target, Binding("annotation", node))


def _walrus(node: ast.NamedExpr) -> _Bound:
    yield node.target.id, Binding("value", node.value)


def _element(node: ast.For | ast.comprehension) -> _Bound:
    is_async = isinstance(node, ast.comprehension) and node.is_async
    yield from _target(node.target, _UNKNOWN if is_async else Binding("element", node.iter))


def _entered(node: ast.With) -> _Bound:
    for item in node.items:
        yield from _target(item.optional_vars, Binding("enter", item.context_expr))


def _awaited(node: ast.AsyncFor | ast.AsyncWith) -> _Bound:
    targets = (
        [node.target]
        if isinstance(node, ast.AsyncFor)
        else [item.optional_vars for item in node.items]
    )
    for target in targets:
        yield from _target(target, _UNKNOWN)


def _definition(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> _Bound:
    yield node.name, Binding("definition", node)


def _caught(node: ast.ExceptHandler | ast.MatchAs | ast.MatchStar) -> _Bound:
    if node.name:
        yield node.name, _UNKNOWN


def _nothing(node: ast.Pass) -> _Bound:
    yield from ()


def _named_type(node: Any) -> _Bound:
    yield node.name.id, Binding("value", node.value)


def _imported(node: ast.Import) -> _Bound:
    for alias in node.names:
        top = alias.name.partition(".")[0]
        yield alias.asname or top, Binding("import", name=alias.name if alias.asname else top)


def _imported_from(node: ast.ImportFrom, file: AppModule) -> _Bound:
    base = node.module or ""
    if node.level:
        parts = file.package.split(".")
        above = ".".join(parts[: len(parts) - node.level + 1])
        base = f"{above}.{base}".strip(".")
    for alias in node.names:
        yield alias.asname or alias.name, Binding("import", name=f"{base}.{alias.name}")


def _assigned(target: ast.expr, value: ast.expr) -> _Bound:
    parts = value.elts if isinstance(value, ast.Tuple) else []
    if isinstance(target, ast.Tuple) and len(target.elts) == len(parts):
        for inner, part in zip(target.elts, parts, strict=True):
            yield from _assigned(inner, part)
    else:
        yield from _target(target, Binding("value", value))


def _target(target: ast.expr | None, binding: Binding) -> _Bound:
    """Yield what a target binds; of the parts of one nobody knows more than their names."""
    if isinstance(target, ast.Name):
        yield target.id, binding
    elif isinstance(target, ast.Tuple | ast.List | ast.Starred):
        parts = [target.value] if isinstance(target, ast.Starred) else target.elts
        for part in parts:
            yield from _target(part, _UNKNOWN)


_BINDS: Final[Mapping[type[ast.AST], Callable[[Any], _Bound]]] = {
    ast.Import: _imported,
    ast.Assign: _assignment,
    ast.AnnAssign: _annotated,
    ast.NamedExpr: _walrus,
    ast.For: _element,
    ast.comprehension: _element,
    ast.With: _entered,
    ast.AsyncFor: _awaited,
    ast.AsyncWith: _awaited,
    ast.FunctionDef: _definition,
    ast.AsyncFunctionDef: _definition,
    ast.ClassDef: _definition,
    ast.ExceptHandler: _caught,
    ast.MatchAs: _caught,
    ast.MatchStar: _caught,
    getattr(ast, "TypeAlias", ast.Pass): _named_type if hasattr(ast, "TypeAlias") else _nothing,
}
