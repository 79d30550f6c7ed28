"""The list of our environment variables is that of the source and of the reference."""

from __future__ import annotations

import ast
import re

from fastforge.core.variables import VARIABLES
from tests.docs.markdown import DOCS, Page
from tests.source import modules


def test_the_list_has_every_variable_that_the_source_names() -> None:
    variable = r"FASTFORGE_[A-Z_]*[A-Z]|[A-Z]+_COLOR|WEB_CONCURRENCY"
    named = {
        node.value
        for module in modules()
        if module.name != "fastforge.core.variables"
        if re.search(variable, module.path.read_text())  # few do, and all of a tree is much
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if re.fullmatch(variable, node.value)
    }
    assert named == set(VARIABLES)


def test_the_reference_has_every_variable() -> None:
    rows = Page(DOCS / "reference" / "settings.md").heading("Environment").rows()
    assert sorted(row[0].strip("`") for row in rows) == sorted(VARIABLES)
