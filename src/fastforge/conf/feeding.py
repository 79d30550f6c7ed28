"""Feeding: which environment variables feed which field of a setting, read from its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from .recording import EnvVariable
from .settings import Settings

__all__ = ["Feed", "feeds_of"]

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A variable and the field that it feeds.

    Args:
        variable: The variable.
        path: The keys and keywords below the setting, as far as the source names them.
    """

    variable: EnvVariable
    path: Path

    def reaches(self, path: Path) -> bool:
        """Return whether the value at a path comes from this variable, or may."""
        shorter = min(len(path), len(self.path))
        return path[:shorter] == self.path[:shorter]


def feeds_of(settings: Settings, name: str) -> Iterator[Feed]:
    """Yield the variables that a setting is made of, also by way of other names of the module."""
    raw = settings.raw
    if name in raw.values and raw.assignment(name) is not None:
        search = _Search(settings)
        yield from search.name(name, ())


class _Search:
    def __init__(self, settings: Settings) -> None:
        self._variables = {each.name: each for each in settings.raw.record.variables}
        self._assignments = settings.raw.source.assignments
        self._seen: set[str] = set()

    def name(self, name: str, path: Path) -> Iterator[Feed]:
        """Search what a name of the module was given."""
        if name in self._seen:
            return
        self._seen.add(name)
        assignment = self._assignments.get(name)
        while assignment is not None:
            if assignment.value is not None:
                yield from self.node(assignment.value, (*path, *map(str, assignment.keys)))
            assignment = assignment.before
        self._seen.remove(name)

    def node(self, node: ast.AST, path: Path) -> Iterator[Feed]:
        """Search an expression; what has a key or a keyword lies one step further down."""
        if isinstance(node, ast.Name):
            yield from self.name(node.id, path)
        elif (variable := self._asked(node)) is not None:
            yield Feed(variable=variable, path=path)
        else:
            for child, step in _children(node):
                yield from self.node(child, (*path, *step))

    def _asked(self, node: ast.AST) -> EnvVariable | None:
        """Return the variable that `env("NAME")` asks for."""
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            return self._variables.get(str(node.args[0].value))
        return None


def _children(node: ast.AST) -> Iterator[tuple[ast.AST, Path]]:
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            yield value, (str(key.value),) if isinstance(key, ast.Constant) else ()
    elif isinstance(node, ast.Call):
        yield from ((argument, ()) for argument in node.args)
        for keyword in node.keywords:
            yield keyword.value, (keyword.arg,) if keyword.arg else ()
    else:
        yield from ((child, ()) for child in ast.iter_child_nodes(node))
