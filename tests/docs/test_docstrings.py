"""The examples in docstrings are Python."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator

import pytest

from tests.source import modules

_EXAMPLE = re.compile(r"```python\n(.*?)```", re.DOTALL)
_OWNERS = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def examples() -> Iterator[tuple[str, str]]:
    for module in modules():
        for text in docstrings(module.tree):
            for found in _EXAMPLE.findall(textwrap.dedent(text)):
                yield str(module), textwrap.dedent(found)


def docstrings(node: ast.AST) -> Iterator[str]:
    """Those of a node and of all below it; no expression is looked into, which has none."""
    if isinstance(node, _OWNERS) and "```" in (text := ast.get_docstring(node) or ""):
        yield text
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.expr):
            yield from docstrings(child)


@pytest.mark.parametrize(("module", "example"), list(examples()))
def test_an_example_is_python(module: str, example: str) -> None:
    """`await` may stand alone in it."""
    compile(example, module, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_there_are_examples() -> None:
    assert len(list(examples())) > 20
