"""Installed: an entry added to INSTALLED_APPS in the source of the settings, and nothing else."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from .changes import Change
from .imports import Import, imports_of, with_import

__all__ = ["entry_of", "install", "install_at_end"]

NAME: Final = "INSTALLED_APPS"
_HOMES_OF_APP: Final = ("fastforge", "fastforge.conf")
_IGNORED: Final = frozenset(
    {tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT}
)


def entry_of(app: str, prefix: str) -> str:
    """Return the entry of an app, as a person would write it."""
    return f'App("{app}", prefix="{prefix}")' if prefix else f'"{app}"'


def install(sources: Mapping[Path, str], app: str, prefix: str, *, width: int) -> Change | None:
    """Return the edit that adds an app to the settings; None where no list can be edited.

    The list that is edited is the one that the others are built upon, if it is written out; else
    the last one that is. What stands in an `if`, or is computed, is left alone.

    Args:
        sources: The text of the settings module and of those that it star-imports, by file, in
            the order in which they run.
        app: The dotted name of the app.
        prefix: What stands before its routes; empty for none.
        width: The most characters that a line may have.
    """
    for path, source, place in _candidates(sources):
        edited = _with_entry(source, place, app, prefix, width)
        if edited is not None and _reads(edited, path, sources, app):
            return Change(path=path, before=source, after=edited)
    return None


def install_at_end(source: str, app: str, prefix: str) -> str:
    """Return settings that add the app in a statement of their own: to try it, not to keep."""
    lines = ["", "from fastforge.conf import App", f"{NAME} = [*{NAME}, {entry_of(app, prefix)}]"]
    return source + "\n".join([*lines, ""])


def _candidates(sources: Mapping[Path, str]) -> Iterator[tuple[Path, str, int]]:
    """Yield the lists that may be edited, the best first, each by its place among the source's."""
    found: list[tuple[bool, Path, str, int]] = []
    for path, source in sources.items():
        tree = _parsed(source)
        for number, (value, builds_on) in enumerate(_lists(tree) if tree else ()):
            if isinstance(value, ast.List | ast.Tuple):
                found.append((builds_on, path, source, number))
            elif not builds_on:
                found.clear()  # made anew, from something that cannot be edited
    first = [each[1:] for each in found if not each[0]][-1:]
    yield from first
    yield from (each[1:] for each in reversed(found) if each[0])


def _parsed(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError):
        return None


def _lists(tree: ast.Module) -> Iterator[tuple[ast.expr, bool]]:
    """Yield what each top-level statement gives the name, and whether it builds on what was."""
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="INSTALLED_APPS")], value=value):
                yield _end_of(value), _mentions(value)
            case ast.AnnAssign(target=ast.Name(id="INSTALLED_APPS"), value=ast.expr() as value):
                yield _end_of(value), _mentions(value)
            case ast.AugAssign(target=ast.Name(id="INSTALLED_APPS"), op=ast.Add(), value=value):
                yield _end_of(value), True
            case _:
                pass


def _end_of(value: ast.expr) -> ast.expr:
    """Return the last of several lists that are added: what is put in there comes last."""
    while isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        value = value.right
    return value


def _mentions(value: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id == NAME for node in ast.walk(value))


def _with_entry(source: str, place: int, app: str, prefix: str, width: int) -> str | None:
    quote = _quote(source)
    called = "App"
    if prefix:
        source, called = _with_app(source, width)
    tree = ast.parse(source)
    value = list(_lists(tree))[place][0]
    if not isinstance(value, ast.List | ast.Tuple):
        return None
    entry = entry_of(app, prefix).replace("App(", f"{called}(", 1).replace('"', quote)
    return _List(source, value).plus(entry, width)


def _quote(source: str) -> str:
    """Return the quote that a file uses."""
    strings = [
        token.string[0]
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.STRING and token.string[:3] not in ('"""', "'''")
    ]
    return "'" if strings.count("'") > strings.count('"') else '"'


def _with_app(source: str, width: int) -> tuple[str, str]:
    """Return source in which `App` can be used, and what it is called there."""
    for _, each in imports_of(ast.parse(source)):
        if each.module in _HOMES_OF_APP and each.name == "App":
            return source, each.bound
    return with_import(source, Import(module="fastforge.conf", name="App"), width=width), "App"


class _List:
    """A list as it is written: where it begins and ends, and what stands last in it."""

    def __init__(self, source: str, node: ast.List | ast.Tuple) -> None:
        self.lines = source.splitlines(keepends=True)
        self.start = self._place(node.lineno, node.col_offset)
        self.end = self._place(node.end_lineno or 0, node.end_col_offset or 0)
        self.first = [self._place(each.lineno, each.col_offset) for each in node.elts]
        self.texts = [ast.get_source_segment(source, each) or "" for each in node.elts]
        tokens = [
            token
            for token in tokenize.generate_tokens(io.StringIO(source).readline)
            if token.type not in _IGNORED and self.start <= token.start and token.end <= self.end
        ]
        self.is_bracketed = len(tokens) > 1 and tokens[-1].string in ("]", ")")
        self.is_bracketed &= tokens[0].start == self.start and tokens[0].string in "[("
        self.last = tokens[-2] if self.is_bracketed else None
        self.closing = tokens[-1].start if self.is_bracketed else self.end

    def _place(self, line: int, column: int) -> tuple[int, int]:
        # ast counts bytes, tokenize characters.
        return line, len(self.lines[line - 1].encode()[:column].decode())

    def plus(self, entry: str, width: int) -> str | None:
        """Return the source with one more entry at the end of the list."""
        if self.last is None:
            return None
        row, column = self.closing
        on_its_own_line = not self.lines[row - 1][:column].strip()
        if on_its_own_line and self.last.end[0] < row:
            self._add_line(entry)
        elif self.start[0] == row and self._length(entry) > width:
            self._add_lines(entry)
        else:
            self._add_inline(entry)
        return "".join(self.lines)

    def _length(self, entry: str) -> int:
        return len(self.lines[self.start[0] - 1].rstrip()) + len(entry) + len(", ")

    def _ending(self) -> str:
        return "\r\n" if self.lines[0].endswith("\r\n") else "\n"

    def _indent(self) -> str:
        """Return what stands before an element that begins its line."""
        for row, column in reversed(self.first):
            before = self.lines[row - 1][:column]
            if not before.strip():
                return before
        line = self.lines[self.closing[0] - 1]
        return line[: len(line) - len(line.lstrip())] + "    "

    def _add_line(self, entry: str) -> None:
        self.lines.insert(self.closing[0] - 1, f"{self._indent()}{entry},{self._ending()}")
        self._add_comma()

    def _add_comma(self) -> None:
        if self.last is not None and self.last.string != "," and self.first:
            row, column = self.last.end
            line = self.lines[row - 1]
            self.lines[row - 1] = f"{line[:column]},{line[column:]}"

    def _add_lines(self, entry: str) -> None:
        """Give each element a line: together they do not fit."""
        row, column = self.start
        line, ending = self.lines[row - 1], self._ending()
        outer = line[: len(line) - len(line.lstrip())]
        inner = "".join(f"{outer}    {text},{ending}" for text in [*self.texts, entry])
        closing = self.closing[1]
        self.lines[row - 1] = f"{line[: column + 1]}{ending}{inner}{outer}{line[closing:]}"

    def _add_inline(self, entry: str) -> None:
        assert self.last is not None
        row, column = self.last.end
        line = self.lines[row - 1]
        has_comma = self.last.string == "," and bool(self.first)
        begins_line = bool(self.first) and not self.lines[row - 1][: self.first[-1][1]].strip()
        apart = f"{self._ending()}{self._indent()}" if begins_line and row > self.start[0] else " "
        before = "" if not self.first else apart if has_comma else f",{apart}"
        is_one = not self.first and line[self.start[1]] == "("
        after = "," if has_comma or is_one else ""
        self.lines[row - 1] = f"{line[:column]}{before}{entry}{after}{line[column:]}"


def _reads(edited: str, path: Path, sources: Mapping[Path, str], app: str) -> bool:
    """Return whether the edited file is Python and one of its lists has one more entry, no other.

    Everything but the import of `App` and that entry has to be what it was.
    """
    tree = _parsed(edited)
    if tree is None:
        return False
    for value, _ in _lists(tree):
        if isinstance(value, ast.List | ast.Tuple) and value.elts:
            last = value.elts[-1]
            if app in {node.value for node in ast.walk(last) if isinstance(node, ast.Constant)}:
                value.elts.pop()
                return _without_app(tree) == _without_app(ast.parse(sources[path]))
    return False


def _without_app(tree: ast.Module) -> str:
    for statement in list(tree.body):
        if isinstance(statement, ast.ImportFrom) and statement.module in _HOMES_OF_APP:
            statement.names = [each for each in statement.names if each.name != "App"]
            if not statement.names:
                tree.body.remove(statement)
            statement.names.sort(key=lambda each: each.name)
    return ast.dump(tree)
