"""Every code that a message may carry is explained in the reference, and no other code is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from .source import ROOT, Module, modules

REFERENCE = ROOT / "docs" / "reference"
PAGES = (REFERENCE / "errors.md", REFERENCE / "checks.md")
CODE = re.compile(r"[a-z]+\.[EWI]\d{3}")
# A heading, a definition in a table or a list: where a reader who looks for the code arrives.
ENTRY = re.compile(rf"^\s*(?:#+|\||[-*])\s*`?({CODE.pattern})\b", re.MULTILINE)


def codes_in(module: Module) -> Iterator[str]:
    """Codes written as literals; one inside a longer text is a mention and does not count."""
    for node in ast.walk(module.tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and CODE.fullmatch(text):
            yield text


def used() -> dict[str, str]:
    """Every code of the source and the first module that has it."""
    found: dict[str, str] = {}
    for module in modules():
        for code in codes_in(module):
            found.setdefault(code, str(module))
    return found


def explained() -> set[str]:
    return {code for page in PAGES if page.exists() for code in ENTRY.findall(page.read_text())}


def test_every_code_in_the_source_is_explained() -> None:
    missing = {code: module for code, module in used().items() if code not in explained()}
    assert missing == {}


def test_every_code_that_is_explained_is_in_the_source() -> None:
    assert explained() - used().keys() == set()


def test_codes_are_given_as_literals() -> None:
    """A code put together at run time would escape the reference."""
    found = [
        f"{module}:{node.lineno}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "code" and isinstance(keyword.value, ast.JoinedStr | ast.BinOp)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ("## `db.E003` no such file", ["db.E003"]),
        ("| db.E003 | no such file |", ["db.E003"]),
        ("- `db.E003`: no such file", ["db.E003"]),
        ("As db.E003 says", []),
    ],
)
def test_only_the_place_that_explains_a_code_counts(line: str, entry: list[str]) -> None:
    assert ENTRY.findall(line) == entry
