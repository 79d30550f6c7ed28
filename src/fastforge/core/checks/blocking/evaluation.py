"""Evaluation: what the expressions of a project mean, found by reading them."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ....observability.replacements import blocking_call
from .annotations import meaning_of_annotation
from .knowledge import ATTRIBUTES, NAVIGATED, RESULTS, canonical, is_class
from .members import Members, is_property, members_of
from .scopes import Binding, Scope, scope_of
from .values import (
    NOTHING,
    Function,
    Instance,
    Made,
    Many,
    Named,
    OwnClass,
    Value,
    joined,
)

if TYPE_CHECKING:
    from ..source import AppModule

__all__ = ["Reader"]

_BUILTINS: Final = frozenset(dir(builtins))


class Reader:
    """Tells what an expression means, as far as that is plainly written.

    Args:
        find: Gives a module of the project by its dotted name; None for any other.
    """

    def __init__(self, find: Callable[[str], AppModule | None]) -> None:
        self._find = find
        self._modules: dict[AppModule, Scope] = {}
        self._asked: set[tuple[int, str]] = set()
        self._members: dict[ast.ClassDef, Members] = {}
        self._attributes: dict[tuple[ast.ClassDef, str, bool], Value] = {}

    def module(self, file: AppModule) -> Scope:
        """Return the scope of a module."""
        if file not in self._modules:
            self._modules[file] = Scope(file=file, node=file.tree)
        return self._modules[file]

    def value(self, expression: ast.AST | None, scope: Scope) -> Value:
        """Return what an expression means in a scope; None where nobody can tell."""
        match expression:
            case ast.Name():
                return self.named(expression.id, scope)
            case ast.Attribute():
                return self._attribute(self.value(expression.value, scope), expression.attr)
            case ast.Call():
                return self._called(expression, scope)
            case ast.Subscript():
                return self._item(expression, scope)
            case ast.Lambda():
                return Function(expression, scope)
        return self._composed(expression, scope)

    def _composed(self, expression: ast.AST | None, scope: Scope) -> Value:
        match expression:
            case ast.NamedExpr():
                return self.value(expression.value, scope)
            case ast.Constant(value=None):
                return NOTHING
            case ast.BinOp(op=ast.Div()):
                left = self.value(expression.left, scope)
                return left if isinstance(left, Made) and left.type == "pathlib.Path" else None
            case ast.IfExp(body=one, orelse=other):
                return joined(self.value(each, scope) for each in (one, other))
            case ast.BoolOp():
                return joined(self.value(each, scope) for each in expression.values)
            case ast.List() | ast.Tuple() | ast.Set():
                parts = {self.value(each, scope) for each in expression.elts}
                return Many(parts.pop()) if len(parts) == 1 else None
        return None

    def named(self, name: str, scope: Scope) -> Value:
        """Return what a name means in a scope, or in those around it."""
        at: Scope | None = scope
        while at is not None:
            if name in at.bindings:
                return self._kept(name, at)
            if at.hides_builtins:
                return None
            at = at.parent
        return Named(name) if name in _BUILTINS else None

    def _kept(self, name: str, scope: Scope) -> Value:
        if name not in scope.values:
            question = (id(scope), name)
            if question in self._asked:  # a name that is made of itself
                return None
            self._asked.add(question)
            bound = scope.bindings[name]
            scope.values[name] = joined(self._bound(each, scope) for each in bound)
            self._asked.discard(question)
        return scope.values[name]

    def _bound(self, binding: Binding, scope: Scope) -> Value:
        match binding.kind:
            case "value":
                return self._of_assignment(binding.node, scope)
            case "import":
                return self.imported(binding.name)
            case "annotation":
                return self._annotated(binding.node, scope)
            case "definition":
                return _defined(binding.node, scope)
            case "enter":
                return self._entered(self.value(binding.node, scope))
            case "element":
                found = self.value(binding.node, scope)
                return found.of if isinstance(found, Many) else None
            case "self":
                return Instance(scope.owner) if scope.owner else None
            case "class":
                return scope.owner
        return None

    def _of_assignment(self, node: ast.AST | None, scope: Scope) -> Value:
        """Return what is assigned; `Db = Annotated[Session, ...]` gives a name to a type."""
        if isinstance(node, ast.Subscript | ast.BinOp):
            found = meaning_of_annotation(node, scope, self.value)
            if isinstance(found, Made | Instance):
                return found
        return self.value(node, scope)

    def _annotated(self, node: ast.AST | None, scope: Scope) -> Value:
        written = node.annotation if isinstance(node, ast.AnnAssign) else node
        # The annotations of a function's parameters are read outside of it.
        is_parameter = written is node and scope.parent is not None
        outer = scope.parent if is_parameter and scope.parent else scope
        found = meaning_of_annotation(written, outer, self.value)
        if found is None and isinstance(node, ast.AnnAssign):
            return self.value(node.value, scope)
        return found

    def imported(self, name: str) -> Value:
        """Return what a dotted name means: something of the project's own, or of others."""
        if self._find(name) is not None:
            return Named(name)
        owner, _, attribute = name.rpartition(".")
        file = self._find(owner) if owner else None
        if file is None:
            return Named(canonical(name))
        module = self.module(file)
        return self._kept(attribute, module) if attribute in module.bindings else None

    def attribute_of_class(self, owner: OwnClass, name: str) -> Value:
        """Return what a class of the project, or one that it derives from, says of a member."""
        return self._of_class(owner, name, is_instance=False)

    def _attribute(self, value: Value, name: str) -> Value:
        match value:
            case Named():
                return self.imported(f"{value.name}.{name}")
            case Made():
                return _of_made(value, name)
            case Instance():
                return self._of_class(value.of, name, is_instance=True)
            case OwnClass():
                return self._of_class(value, name, is_instance=False)
        return None

    def _of_class(self, owner: OwnClass, name: str, *, is_instance: bool) -> Value:
        key = (owner.node, name, is_instance)
        if key not in self._attributes:
            self._attributes[key] = None  # one that is made of itself
            self._attributes[key] = self._looked_up(owner, name, is_instance)
        return self._attributes[key]

    def _looked_up(self, owner: OwnClass, name: str, is_instance: bool) -> Value:
        if owner.node not in self._members:
            self._members[owner.node] = members_of(owner)
        written = self._members[owner.node].written(name, is_instance=is_instance)
        if written:
            return joined(self._member(binding, scope, owner) for binding, scope in written)
        bases = (self.value(base, owner.scope) for base in owner.node.bases)
        inherited = (
            self._of_class(base, name, is_instance=is_instance)
            for base in bases
            if isinstance(base, OwnClass)
        )
        return next((each for each in inherited if each is not None), None)

    def _member(self, binding: Binding, scope: Scope, owner: OwnClass) -> Value:
        match binding.node:
            case ast.FunctionDef() as method if is_property(method):
                return meaning_of_annotation(method.returns, scope, self.value)
            case ast.FunctionDef() | ast.AsyncFunctionDef() as method:
                return Function(method, scope, owner)
        return self._bound(binding, scope)

    def _called(self, call: ast.Call, scope: Scope) -> Value:
        value = self.value(call.func, scope)
        match value:
            case Named():
                return self._result(value.name, call, scope)
            case Made():  # an object that is called: a sessionmaker
                given = RESULTS.get(f"{value.type}.__call__")
                return Made(given, value.origin) if given else None
            case OwnClass():
                return Instance(value)
            case Function(node=ast.FunctionDef() as node) if node.returns is not None:
                return meaning_of_annotation(node.returns, value.scope, self.value)
            case Function(node=ast.FunctionDef()):
                found = self._returned(value)
                # What blocked in there is told of this call.
                return Made(found.type, call) if isinstance(found, Made) and found.origin else found
        return None

    def _returned(self, function: Function) -> Value:
        """Return what a function of the project gives that does not say so."""
        key = (id(function.node), "return")
        if key in self._asked:
            return None
        self._asked.add(key)
        inside = scope_of(function)
        given = [node.value for node in inside.nodes if isinstance(node, ast.Return)]
        found = joined(self.value(each, inside) for each in given) if given else None
        self._asked.discard(key)
        return found

    def _result(self, name: str, call: ast.Call, scope: Scope) -> Value:
        given = name if is_class(name) else RESULTS.get(name)
        origin = self._origin(call, scope)
        if name in ("pathlib.Path.iterdir", "pathlib.Path.glob", "pathlib.Path.rglob"):
            return Many(Made("pathlib.Path", origin or call))
        if given is None:
            owner = name.rpartition(".")[0]
            given = owner if owner in NAVIGATED else None
        if given is None:
            return None
        return Made(given, origin or (call if blocking_call(name) else None))

    def _origin(self, call: ast.Call, scope: Scope) -> ast.Call | None:
        """Return the call that blocks from which the object comes whose method is called."""
        if not isinstance(call.func, ast.Attribute):
            return None
        receiver = self.value(call.func.value, scope)
        return receiver.origin if isinstance(receiver, Made) else None

    def _item(self, expression: ast.Subscript, scope: Scope) -> Value:
        value = self.value(expression.value, scope)
        if isinstance(value, Many):
            return value.of
        return value if isinstance(value, Made) and value.type in NAVIGATED else None

    def _entered(self, value: Value) -> Value:
        """Return what a `with` gives: the object itself, or what a generator of ours yields."""
        return value.of if isinstance(value, Many) else value


def _defined(node: ast.AST | None, scope: Scope) -> Value:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return Function(node, scope)
        case ast.ClassDef():
            return OwnClass(node, scope)
    return None


def _of_made(value: Made, name: str) -> Value:
    full = f"{value.type}.{name}"
    if full in ATTRIBUTES:
        return Made(ATTRIBUTES[full], value.origin)
    if value.type in NAVIGATED and (blocking_call(full) is None or name[:1].isupper()):
        return value
    return Named(full)
