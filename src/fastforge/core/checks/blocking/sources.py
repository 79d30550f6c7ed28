"""Sources: the modules of a project that are scanned, and those that they import."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from ..source import AppModule, read_module
from .scopes import Scope, is_for_types, scope_of
from .values import Function, OwnClass

__all__ = ["Sources", "coroutine_functions", "is_scanned"]

_LEFT: Final = frozenset({"tests", "test", "commands", "conftest"})


class Sources:
    """The project's own modules by name.

    Args:
        modules: Those that are known.
        roots: Where others lie that they import.
    """

    def __init__(self, modules: Iterable[AppModule], *, roots: Iterable[Path] = ()) -> None:
        self._known: dict[str, AppModule | None] = {module.name: module for module in modules}
        self._roots = tuple(roots)
        self._tops: dict[str, tuple[Path, ...]] = {}

    def find(self, name: str) -> AppModule | None:
        """Return a module by its dotted name; None for one that is not the project's own."""
        if name not in self._known:
            self._known[name] = self._read(name)
        return self._known[name]

    def _read(self, name: str) -> AppModule | None:
        top, *rest = name.split(".")
        for root in self._homes(top):
            path = root.joinpath(top, *rest)
            for file in (path.with_suffix(".py"), path / "__init__.py"):
                if file.is_file():
                    return read_module(name, file)
        return None

    def _homes(self, top: str) -> tuple[Path, ...]:
        """Return the roots that have a package or module of this name."""
        if top not in self._tops:
            self._tops[top] = tuple(
                root
                for root in self._roots
                if (root / f"{top}.py").is_file() or (root / top / "__init__.py").is_file()
            )
        return self._tops[top]


def is_scanned(module: AppModule) -> bool:
    """Return whether code of a module may run on a loop that others use.

    Tests do not, and a command has its process to itself.
    """
    last = module.name.rpartition(".")[2]
    parts = set(module.name.split("."))
    return parts.isdisjoint(_LEFT) and not last.startswith("test_") and not last.endswith("_test")


def coroutine_functions(scope: Scope) -> Iterator[tuple[str, Function]]:
    """Yield each `async def` of a module with its name, at any depth: `Reports.render`.

    Args:
        scope: The scope of the module.
    """
    yield from _in_body(scope.node.body, scope, None, "")


def _in_body(
    body: object, scope: Scope, owner: OwnClass | None, prefix: str
) -> Iterator[tuple[str, Function]]:
    for node in body if isinstance(body, list) else ():
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                function = Function(node, scope, owner)
                if isinstance(node, ast.AsyncFunctionDef):
                    yield f"{prefix}{node.name}", function
                yield from _in_body(node.body, scope_of(function), None, f"{prefix}{node.name}.")
            case ast.ClassDef():
                inner = OwnClass(node, scope)
                yield from _in_body(node.body, scope, inner, f"{prefix}{node.name}.")
            case ast.If() if is_for_types(node.test):
                yield from _in_body(node.orelse, scope, owner, prefix)
            case _:
                for field in ("body", "orelse", "finalbody", "handlers", "cases"):
                    yield from _in_body(getattr(node, field, None), scope, owner, prefix)
