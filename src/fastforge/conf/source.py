"""Source: where in its files a settings module writes each name, read without running it."""

from __future__ import annotations

import ast
import importlib.util
import os
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

from .._utils import import_hint, nearest, told
from ..exceptions import Location, SettingsError

__all__ = ["Assignment", "SettingsSource", "read_source", "settings_files"]

Finder = Callable[[str], ModuleSpec | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One top-level assignment of a settings module: its place and its expression.

    Args:
        location: Where it is written.
        value: The expression.
        keys: What of the name it gives a value: `("replica",)` of `DATABASES["replica"] = ...`.
        before: The assignment that it changes, where it is one of a key, or `+=`, or `|=`.
    """

    location: Location
    value: ast.expr | None
    keys: tuple[Any, ...] = ()
    before: Assignment | None = None

    def entry_location(self, index: int, entries: int) -> Location:
        """Return the place of an element of a list, or of the statement where nobody can know.

        Args:
            index: Which one.
            entries: How many the list has: as many as are written out, or others came otherwise.
        """
        return self.key_location((index,)) if self._length == entries else self.location

    def key_location(self, path: Sequence[Any]) -> Location:
        """Return the place of a key of nested dicts and calls, or of the nearest outer one."""
        if self.before is None or not path:
            return self._inner_location(path)
        if self.keys:
            is_here, inner = tuple(path[: len(self.keys)]) == self.keys, path[len(self.keys) :]
        elif isinstance(path[0], int):
            count = self.before._length
            if count is None:
                return self.location
            is_here, inner = path[0] >= count, (path[0] - count, *path[1:])
        else:
            is_here, inner = _child(self.value, path[0]) is not None, path
        return self._inner_location(inner) if is_here else self.before.key_location(path)

    @property
    def _length(self) -> int | None:
        """How many elements the list has by now; None where it is not written out."""
        length = _written_length(self.value)
        if self.before is None or length is None:
            return length
        before = self.before._length
        return None if before is None else before + length

    def _inner_location(self, path: Sequence[Any]) -> Location:
        place, node = self.location, self.value
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            node, line = found
            place = Location(place.file, line)
        return place


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsSource:
    """A settings module and those it star-imports, the outermost last."""

    modules: tuple[str, ...]
    files: tuple[str, ...]
    assignments: dict[str, Assignment]


def read_source(module: str, *, named_by: str) -> SettingsSource:
    """Read a settings module and, depth first, the modules of its `from .x import *`.

    Args:
        module: The dotted name.
        named_by: What named it, for the error: a variable, a file, an option.

    Raises:
        SettingsError: A module does not exist or is not Python.
    """
    names: list[str] = []
    files: list[str] = []
    assignments: dict[str, Assignment] = {}
    for name, file, tree in settings_files(module, named_by=named_by):
        names.append(name)
        files.append(file)
        for statement in _statements(tree):
            _add(assignments, statement, file)
    return SettingsSource(modules=tuple(names), files=tuple(files), assignments=assignments)


def settings_files(
    module: str, *, named_by: str, find: Finder = importlib.util.find_spec
) -> Iterator[tuple[str, str, ast.Module]]:
    """Yield the name, the file and the syntax tree of each module that `read_source` reads.

    Args:
        module: The dotted name.
        named_by: What named it, for the error.
        find: How a module is found; the import system's own way imports the packages around it.

    Raises:
        SettingsError: A module does not exist or is not Python.
    """
    file = _find(module, named_by, find)
    tree = _parse(file)
    package = module.rpartition(".")[0]
    if os.path.basename(file) == "__init__.py":
        package, find = module, _inside(module, os.path.dirname(file), find)
    for name, line in _star_imports(tree, package, find):
        yield from settings_files(name, named_by=f"{Location(file, line)}", find=find)
    yield module, file, tree


def _inside(package: str, folder: str, find: Finder) -> Finder:
    """Find the modules of a package that is the settings without importing it: it would run."""

    def found(name: str) -> ModuleSpec | None:
        if name.rpartition(".")[0] == package:
            return PathFinder.find_spec(name, [folder])
        return find(name)

    return found


def _star_imports(tree: ast.Module, package: str, find: Finder) -> Iterator[tuple[str, int]]:
    """Yield the modules of the same project that a module star-imports and that exist.

    One that does not exist is left to the import system: it may stand inside a `try`.
    """
    for statement in _statements(tree):
        if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
            base = "." * statement.level + (statement.module or "")
            name = importlib.util.resolve_name(base, package)
            ours = name.partition(".")[0] == package.partition(".")[0]
            if ours and _spec(name, find) is not None:
                yield name, statement.lineno


def _statements(tree: ast.AST) -> Iterator[ast.stmt]:
    """Yield the statements that run when a module is imported, those of functions left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, ast.stmt):
            yield node
        if isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
            yield from _statements(node)


def _spec(name: str, find: Finder = importlib.util.find_spec) -> ModuleSpec | None:
    try:
        return find(name)
    except ModuleNotFoundError:
        return None


def _find(module: str, named_by: str, find: Finder) -> str:
    try:
        spec = _spec(module, find)
    except Exception as error:
        raise SettingsError(
            f"the package of the settings module {module!r} does not load: {told(error)}",
            code="conf.E002",
            hint=import_hint(error) or "--traceback shows all of it",
            where=named_by,
        ) from error
    if spec is None or spec.origin is None:
        raise SettingsError(
            f"the settings module {module!r} does not exist",
            code="conf.E001",
            hint=_suggestion(module),
            where=named_by,
        )
    return spec.origin


def _suggestion(module: str) -> str:
    package, _, name = module.rpartition(".")
    parent = _spec(package) if package else None
    paths = list(parent.submodule_search_locations or ()) if parent else None
    names = [found.name for found in pkgutil.iter_modules(paths)]
    if package and parent is None:
        near = nearest(package, [found.name for found in pkgutil.iter_modules()])
        return f"did you mean '{near}.{name}'?" if near else f"no package {package!r} is importable"
    near = nearest(name, names)
    prefix = f"{package}." if package else ""
    return f"did you mean '{prefix}{near}'?" if near else "name the module that holds your settings"


def _parse(file: str) -> ast.Module:
    with open(file, "rb") as source:
        text = source.read()
    try:
        return ast.parse(text, file)
    except SyntaxError as error:
        raise SettingsError(
            f"the settings module is not valid Python: {error.msg}",
            code="conf.E003",
            hint="mend that line",
            where=Location(file, error.lineno or 1),
        ) from error


def _add(assignments: dict[str, Assignment], statement: ast.stmt, file: str) -> None:
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign):
        targets = [statement.target]
    else:
        return
    for name, keys in (found for target in targets for found in _targets(target)):
        changes = bool(keys) or isinstance(statement, ast.AugAssign)
        assignments[name] = Assignment(
            location=Location(file, statement.lineno),
            value=statement.value,
            keys=keys,
            before=assignments.get(name) if changes else None,
        )


def _targets(target: ast.expr, keys: tuple[Any, ...] = ()) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield the names that a target gives a value, each with the keys of what has it."""
    if isinstance(target, ast.Name):
        yield target.id, keys
    elif isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        yield from _targets(target.value, (target.slice.value, *keys))
    elif isinstance(target, ast.Tuple | ast.List):
        yield from (found for each in target.elts for found in _targets(each))


def _written_length(node: ast.expr | None) -> int | None:
    """Return how many elements a list has that is written out, without a star."""
    if not isinstance(node, ast.List | ast.Tuple) or _has_star(node.elts):
        return None
    return len(node.elts)


def _has_star(elements: Sequence[ast.expr]) -> bool:
    return any(isinstance(each, ast.Starred) for each in elements)


def _child(node: ast.expr | None, step: Any) -> tuple[ast.expr, int] | None:
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == step:
                return value, key.lineno
    if isinstance(node, ast.Call):
        for keyword in node.keywords:
            if keyword.arg == step:
                return keyword.value, keyword.value.lineno
    if isinstance(node, ast.List | ast.Tuple) and isinstance(step, int):
        # Nobody knows for how many elements a star stands.
        elements = [] if _has_star(node.elts[: step + 1]) else node.elts
        return next(((each, each.lineno) for each in elements[step : step + 1]), None)
    return None
