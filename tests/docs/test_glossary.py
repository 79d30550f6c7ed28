"""The glossary is in order, and has a word for each kind of component and each concept."""

from __future__ import annotations

import importlib
import re

from fastforge.components import Kind
from fastforge.project import KINDS
from fastforge.test.setups import TEST_SETUPS
from tests.source import modules

from .markdown import DOCS, Page
from .test_reference import first_column

APPS = Page(DOCS / "apps.md")
CONCEPTS = Page(DOCS / "concepts.md")
GLOSSARY = Page(DOCS / "glossary.md")

_ENTRY = re.compile(r"^\*\*(?P<terms>[^*]+)\.\*\* .")


def entries() -> list[str]:
    """What stands in bold at the beginning of each entry."""
    found = (_ENTRY.match(line) for _, line in GLOSSARY.prose())
    return [match["terms"] for match in found if match]


def words() -> set[str]:
    return {term.lower() for entry in entries() for term in entry.split(", ")}


def kinds() -> dict[str, str]:
    """The kinds that fastforge has, and the module where each is declared."""
    found = [KINDS, TEST_SETUPS]
    for module in modules():
        if module.name.endswith(".kinds"):
            values = vars(importlib.import_module(module.name)).values()
            found.extend(value for value in values if isinstance(value, Kind))
    return {kind.name: kind.module for kind in found}


def test_entries_are_in_order_and_each_is_there_once() -> None:
    assert len(entries()) > 100
    assert entries() == sorted(entries(), key=str.lower)
    assert len(words()) == sum(len(entry.split(", ")) for entry in entries())


def test_every_kind_of_component_has_an_entry() -> None:
    singular = {name.removesuffix("s").replace("_", " ") for name in kinds()}
    assert singular - words() == set()


def test_every_concept_has_an_entry() -> None:
    concepts = [each.text.lower() for each in CONCEPTS.headings() if each.level == 2][:-1]
    parts = {part.removesuffix("s") for text in concepts for part in text.split(" and ")}
    assert len(parts) == 9
    assert parts - words() == set()


def test_the_page_on_apps_has_every_kind_and_where_it_is_declared() -> None:
    table = next(each for each in APPS.headings() if each.text == "Kinds")
    assert sorted(first_column(table)) == sorted(kinds())
    declared = {row[0].strip("`"): row[2].split("`")[1] for row in table.rows()}
    assert declared == kinds()
