"""The examples in docstrings are Python."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator

import pytest

from tests.source import Module, modules

_EXAMPLE = re.compile(r"```python\n(.*?)```", re.DOTALL)
_OWNERS = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def examples() -> Iterator[tuple[str, str]]:
    for module in modules():
        for text in docstrings(module):
            for found in _EXAMPLE.findall(textwrap.dedent(text)):
                yield str(module), textwrap.dedent(found)


def docstrings(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, _OWNERS):
            yield ast.get_docstring(node) or ""


@pytest.mark.parametrize(("module", "example"), list(examples()))
def test_an_example_is_python(module: str, example: str) -> None:
    """`await` may stand alone in it."""
    compile(example, module, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_there_are_examples() -> None:
    assert len(list(examples())) > 20
