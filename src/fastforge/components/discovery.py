"""Discovery: what a module itself defines, by name and line, read from its own source."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from .._utils import failing_line, import_hint, told
from ..exceptions import ComponentError, ForgeError, Location
from .kind import Kind
from .registry import Component

__all__ = ["discover", "load_module", "top_level_names"]

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def discover(kind: Kind[Any], package: str, label: str) -> Iterator[Component[Any]]:
    """Yield the components of a kind that one app defines in the kind's modules.

    "Defines" is exact: the name is bound by a statement of the module's own (an import is
    none), and a value that knows the function or class it was made from was made here. So a
    task that another app imports stays with the app that wrote it.
    """
    for name in (kind.module, *kind.also):
        searched = f"{package}.{name}"
        for module in _modules(searched):
            yield from _own(kind, module, searched, label)


def load_module(name: str) -> ModuleType | None:
    """Import a module if it exists; None when there is no such module.

    Raises:
        ComponentError: It exists but does not load; the place is the last line of the module's
            own that ran.
    """
    if importlib.util.find_spec(name) is None:
        return None
    try:
        return importlib.import_module(name)
    except ForgeError:
        raise
    except Exception as error:
        raise _import_failure(name, error) from error


def top_level_names(source: str | bytes) -> dict[str, int]:
    """Return the names that a module's own top-level statements bind, with their lines."""
    names: dict[str, int] = {}
    for statement in _statements(ast.parse(source).body):
        for name in _bound(statement):
            names.setdefault(name, _first_line(statement))
    return names


def _first_line(statement: ast.stmt) -> int:
    """Return the line of the first decorator, as a function's own code says it, else the line."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return decorators[0].lineno if decorators else statement.lineno


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run at import: also those inside `if`, `try`, `for` and `with`."""
    for statement in body:
        yield statement
        if not isinstance(statement, _DEFINITIONS):
            for field in ("body", "orelse", "finalbody"):
                yield from _statements(getattr(statement, field, []))
            for branch in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
                yield from _statements(branch.body)


def _bound(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, _DEFINITIONS):
        yield statement.name
    elif isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from (
                node.id
                for node in ast.walk(target)
                # `router.tags = []` changes what `router` is, and binds no name.
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            )
    elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        yield statement.target.id


def _modules(name: str) -> Iterator[ModuleType]:
    module = load_module(name)
    if module is None:
        return
    yield module
    for found in pkgutil.iter_modules(getattr(module, "__path__", ())):
        submodule = load_module(f"{module.__name__}.{found.name}")
        if submodule is not None:
            yield submodule


def _own(
    kind: Kind[Any], module: ModuleType, searched: str, label: str
) -> Iterator[Component[Any]]:
    matching = [(name, value) for name, value in vars(module).items() if kind.matches(value)]
    if not matching:
        return
    lines = top_level_names(_source(module))
    seen: set[int] = set()
    for name, value in matching:
        home = kind.home_module(value)
        if name not in lines or id(value) in seen or home not in (None, module.__name__):
            continue
        seen.add(id(value))
        location = Location(str(module.__file__), lines[name])
        _validate(kind, value, location)
        key = kind.key(value) if kind.key else f"{label}.{_qualified(module, searched, name)}"
        yield Component(kind=kind.name, name=key, value=value, app=label, location=location)


def _qualified(module: ModuleType, searched: str, name: str) -> str:
    """Return a name that stays unique when what is searched is a package of several modules."""
    inner = module.__name__.removeprefix(searched).lstrip(".")
    return f"{inner}.{name}" if inner else name


def _validate(kind: Kind[Any], value: object, location: Location) -> None:
    if kind.validate is None:
        return
    try:
        kind.validate(value)
    except ForgeError as error:
        error.where = error.where or location
        raise


def _source(module: ModuleType) -> bytes:
    if module.__file__ is None:  # a namespace package defines nothing of its own
        return b""
    with open(module.__file__, "rb") as file:
        return file.read()


def _import_failure(name: str, error: Exception) -> ComponentError:
    return ComponentError(
        f"{name} does not load: {told(error)}",
        code="components.E003",
        hint=import_hint(error),
        where=failing_line(error),
    )
