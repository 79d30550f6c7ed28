"""The source of fastforge as syntax trees, for the tests that hold its shape."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src"
PACKAGE = SOURCE / "fastforge"
# Files that fastforge writes for others; they are not modules of its own.
TEMPLATES = PACKAGE / "scaffold" / "templates"


@dataclass(frozen=True, slots=True)
class Module:
    """One source file: its dotted name and its tree."""

    name: str
    path: Path
    tree: ast.Module
    lines: int

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    def __str__(self) -> str:
        return str(self.path.relative_to(SOURCE))


@dataclass(frozen=True, slots=True)
class Import:
    """`name` taken from the module `base` (`name` is empty for `import base`)."""

    base: str
    name: str
    line: int


@cache
def modules() -> tuple[Module, ...]:
    """Every module of fastforge, in order of path."""
    found = (path for path in sorted(PACKAGE.rglob("*.py")) if TEMPLATES not in path.parents)
    return tuple(read(path) for path in found)


def read(path: Path) -> Module:
    text = path.read_text()
    name = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
    return Module(name, path, ast.parse(text, str(path)), text.count("\n"))


def is_type_checking(node: ast.AST) -> bool:
    """Whether this is an `if TYPE_CHECKING:` block, which does not run."""
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def statements(node: ast.AST, *, inside_functions: bool) -> Iterator[ast.AST]:
    """All nodes below `node` that run: at import, or also when functions are called."""
    for child in ast.iter_child_nodes(node):
        if is_type_checking(child):
            continue
        is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if is_function and not inside_functions:
            continue
        yield child
        yield from statements(child, inside_functions=inside_functions)


def imports(module: Module, *, inside_functions: bool) -> Iterator[Import]:
    """What the module imports of fastforge, with relative names made absolute."""
    for node in statements(module.tree, inside_functions=inside_functions):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, "", node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(module, node)
            yield from (Import(base, alias.name, node.lineno) for alias in node.names)


def absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    dropped = node.level - 1 if module.is_package else node.level
    return ".".join(parts[: len(parts) - dropped] + ([node.module] if node.module else []))
