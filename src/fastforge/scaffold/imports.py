"""Imports: a name made available in existing source, in the place where a sorter would put it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from .layout import fitted

__all__ = ["Import", "imports_of", "names_bound", "rendered", "with_import"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One imported name.

    Args:
        module: What it comes from, with the dots of a relative import.
        name: The name; empty for the module itself.
        alias: What it is called here, when that differs.
    """

    module: str
    name: str = ""
    alias: str = ""

    @property
    def bound(self) -> str:
        """The name that is there afterwards."""
        return self.alias or self.name or self.module.partition(".")[0]

    @property
    def text(self) -> str:
        """The statement."""
        called = f" as {self.alias}" if self.alias else ""
        if self.name:
            return f"from {self.module} import {self.name}{called}"
        return f"import {self.module}{called}"

    @property
    def section(self) -> int:
        """Its group: the future, the standard library, others' packages, the package itself."""
        top = self.module.partition(".")[0]
        if not top:
            return 3
        return 0 if top == "__future__" else 1 if top in sys.stdlib_module_names else 2

    @property
    def order(self) -> tuple[int, bool, int, str]:
        """Its place among others: `import x` first, the furthest relative first."""
        dots = len(self.module) - len(self.module.lstrip("."))
        return self.section, bool(self.name), -dots, self.module.lower()


def imports_of(tree: ast.Module) -> list[tuple[ast.Import | ast.ImportFrom, Import]]:
    """Return every name that a module imports at its top level, with the statement."""
    found: list[tuple[ast.Import | ast.ImportFrom, Import]] = []
    for statement in tree.body:
        if isinstance(statement, ast.Import):
            found.extend(
                (statement, Import(module=each.name, alias=each.asname or ""))
                for each in statement.names
            )
        elif isinstance(statement, ast.ImportFrom):
            module = "." * statement.level + (statement.module or "")
            found.extend(
                (statement, Import(module=module, name=each.name, alias=each.asname or ""))
                for each in statement.names
            )
    return found


def names_bound(tree: ast.Module) -> dict[str, ast.stmt]:
    """Return the names that the statements of a module bind, imports left out."""
    bound: dict[str, ast.stmt] = {}
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound[statement.name] = statement
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    bound[node.id] = statement
    return bound


def rendered(imports: Iterable[Import], *, width: int) -> str:
    """Return import statements, grouped and sorted."""
    statements: dict[tuple[int, bool, int, str], list[Import]] = {}
    for each in sorted(imports, key=lambda each: (each.order, _name_order(each))):
        statements.setdefault(each.order, []).append(each)
    lines: list[str] = []
    previous = None
    for order, group in statements.items():
        if previous not in (None, order[0]):
            lines.append("")
        previous = order[0]
        lines += _statements(group)
    return fitted("\n".join(lines), width=width)


def _statements(group: list[Import]) -> list[str]:
    plain = [each for each in group if each.name and not each.alias]
    others = [each.text for each in group if each not in plain]
    if plain:
        names = ", ".join(dict.fromkeys(each.name for each in plain))
        others.append(f"from {plain[0].module} import {names}")
    return others


def _name_order(each: Import) -> tuple[int, str]:
    """Constants first, then classes, then the rest, as isort sorts the names of one statement."""
    name = each.name
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name


def with_import(source: str, wanted: Import, *, width: int) -> str:
    """Return source text that has an import; the same text when it has it already."""
    present = imports_of(ast.parse(source))
    if any(each == wanted for _, each in present):
        return source
    lines = source.splitlines(keepends=True)
    ending = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    same = [
        (statement, each)
        for statement, each in present
        if wanted.name and each.name not in ("", "*") and each.module == wanted.module
    ]
    if same:
        statement = same[-1][0]
        names = [each for found, each in same if found is statement]
        if _is_plain(statement, names, lines):
            text = rendered([*names, wanted], width=width).replace("\n", ending)
            lines[statement.lineno - 1 : statement.end_lineno] = [text + ending]
            return "".join(lines)
    _insert(lines, present, wanted, ending, ast.parse(source))
    return "".join(lines)


def _is_plain(
    statement: ast.Import | ast.ImportFrom, names: list[Import], lines: list[str]
) -> bool:
    """Return whether a statement can be written anew: it has its lines for itself, no comments."""
    text = "".join(lines[statement.lineno - 1 : statement.end_lineno])
    return not any(mark in text for mark in "#;\\") and not any(each.alias for each in names)


def _insert(
    lines: list[str],
    present: list[tuple[ast.Import | ast.ImportFrom, Import]],
    wanted: Import,
    ending: str,
    tree: ast.Module,
) -> None:
    text = wanted.text + ending
    before = [pair for pair in present if pair[1].order <= wanted.order]
    after = [pair for pair in present if pair[1].order > wanted.order]
    if after and after[0][1].section == wanted.section:
        lines.insert(after[0][0].lineno - 1, text)
    elif before:
        apart = "" if before[-1][1].section == wanted.section else ending
        lines.insert(before[-1][0].end_lineno or 0, apart + text)
    elif after:
        lines.insert(after[0][0].lineno - 1, text + ending)
    elif tree.body and ast.get_docstring(tree) is not None:
        lines.insert(tree.body[0].end_lineno or 0, ending + text)
    else:
        lines.insert(tree.body[0].lineno - 1 if tree.body else len(lines), text + ending)
