"""What the page on guarantees says is proved by tests that are there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.source import ROOT

from .markdown import DOCS, Page

GUARANTEES = Page(DOCS / "guarantees.md")
PROMISES = "What may be lost, and when"
PROOFS = "The proofs"
LONG = "pytest.mark.long"


def rows(heading: str) -> list[list[str]]:
    """The rows of the table below a heading."""
    return list(next(each for each in GUARANTEES.headings() if each.text == heading).rows())


def proofs() -> dict[str, tuple[str, bool]]:
    """The tests that the page names by their numbers, and whether it calls them long."""
    return {number: (test.strip("`"), note == "long") for number, test, note in rows(PROOFS)}


def named() -> Iterator[str]:
    for *_, numbers in rows(PROMISES):
        yield from numbers.split(", ")


def test_every_row_says_what_is_certain_what_may_be_lost_and_what_proves_it() -> None:
    assert len(rows(PROMISES)) > 30
    incomplete = [row for row in rows(PROMISES) if len(row) != 5 or not all(row[1:])]
    assert incomplete == []


def test_every_proof_is_that_of_a_row_and_every_row_has_one() -> None:
    assert sorted(set(named()), key=int) == list(proofs())
    assert list(proofs()) == [str(number) for number in range(1, len(proofs()) + 1)]
    assert len({test for test, _ in proofs().values()}) == len(proofs())


@pytest.mark.parametrize(("test", "is_long"), proofs().values(), ids=proofs())
def test_a_proof_is_a_test_that_is_there_and_runs(test: str, is_long: bool) -> None:
    path, _, name = test.partition("::")
    tree = parsed(ROOT / path)
    (function,) = [node for node in functions(tree) if node.name == name]
    marks = {ast.unparse(each) for each in function.decorator_list} | marks_of_all(tree)
    assert not [mark for mark in marks if "skip" in mark or "xfail" in mark]
    assert (LONG in marks) is is_long


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def marks_of_all(tree: ast.Module) -> set[str]:
    """What `pytestmark` says of every test of a file."""
    texts = (ast.unparse(node) for node in tree.body if isinstance(node, ast.Assign))
    found = [text for text in texts if text.startswith("pytestmark = ")]
    return set(re.findall(r"pytest\.mark\.\w+", " ".join(found)))
