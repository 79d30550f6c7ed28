"""Merging: the statements of generated source added to a file that somebody has written."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

from ..exceptions import CommandError, Location
from .imports import Import, imports_of, names_bound, with_import

__all__ = ["merged"]


def merged(path: Path, existing: str, generated: str, *, width: int) -> str:
    """Return the existing source with the imports and statements of the generated.

    A definition that is there already, word for word, is not repeated.

    Args:
        path: The file, for errors.
        existing: Its text.
        generated: The text of a whole module.
        width: The most characters that a line may have.

    Raises:
        CommandError: The file is not Python, or uses a name for something else.
    """
    there, tree = _parsed(path, existing), ast.parse(generated)
    bound = names_bound(there)
    imported = {each.bound: each for _, each in imports_of(there)}
    wanted = [each for _, each in imports_of(tree)]
    for each in wanted:
        other = imported.get(each.bound, each)
        if each.bound in bound or other != each:
            raise _taken(path, each.bound, bound)
    parts = list(_parts(path, bound, imported, existing, generated))
    ending = "\r\n" if "\r\n" in existing else "\n"
    for each in wanted:
        existing = with_import(existing, each, width=width)
    return existing.rstrip() + ending + "".join(parts).replace("\n", ending)


def _parts(
    path: Path,
    bound: Mapping[str, ast.stmt],
    imported: Mapping[str, Import],
    existing: str,
    generated: str,
) -> list[str]:
    """Return the text of each new statement, with the space that stands before it."""
    parts: list[str] = []
    lines = generated.splitlines(keepends=True)
    tree = ast.parse(generated)
    end = 0
    for statement in tree.body:
        start, end = end, statement.end_lineno or 0
        if isinstance(statement, ast.Import | ast.ImportFrom | ast.Expr):
            continue  # the docstring; the imports have their own place
        names = names_bound(ast.Module(body=[statement], type_ignores=[]))
        same = [name for name in names if _is_same(bound.get(name), statement, existing, generated)]
        if names and len(same) == len(names):
            continue
        for name in names:
            if name in bound or name in imported:
                raise _taken(path, name, bound)
        text = "".join(lines[start:end])
        parts.append(text if parts else f"\n\n{text.lstrip()}")
    return parts


def _is_same(there: ast.stmt | None, new: ast.stmt, existing: str, generated: str) -> bool:
    if there is None:
        return False
    return ast.get_source_segment(existing, there) == ast.get_source_segment(generated, new)


def _parsed(path: Path, source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError as error:
        raise CommandError(
            f"this is not valid Python: {error.msg}",
            code="scaffold.E015",
            hint="mend it first",
            where=Location(str(path), error.lineno or 1),
        ) from error


def _taken(path: Path, name: str, bound: Mapping[str, ast.stmt]) -> CommandError:
    line = bound[name].lineno if name in bound else 1
    return CommandError(
        f"{name} means something else here than the new resource needs",
        code="scaffold.E015",
        hint="rename it, or give the resource another name",
        where=Location(str(path), line),
    )
