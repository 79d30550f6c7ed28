"""A convention module's own values are collected, and nothing that it only imports."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fastforge.components import Kind, discover, load_module, top_level_names
from fastforge.exceptions import ComponentError, ForgeError
from tests.folder import ProjectFolder, isolated


@dataclass(frozen=True)
class Tool:
    function: Callable[[], None]


def tool(function: Callable[[], None]) -> Tool:
    return Tool(function)


class Base: ...


TOOLS = Kind(
    name="tools",
    type=Tool,
    module="tools",
    key=lambda tool: tool.function.__name__,
    home=lambda tool: tool.function,
)
BASES = Kind(name="bases", type=Base, module="bases", subclasses=True)
PREAMBLE = "from tests.components.test_discovery import tool, Base, Tool\n"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        sys.path.insert(0, str(tmp_path))
        yield folder


def found(kind: Kind[object], package: str = "shop.a") -> list[tuple[str, int]]:
    return [(c.name, c.location.line) for c in discover(kind, package, package.split(".")[-1])]


def test_only_what_the_module_itself_defines_is_collected(folder: ProjectFolder) -> None:
    folder.write(
        {
            "shop/a/tools.py": PREAMBLE + "@tool\ndef mine(): ...\n",
            "shop/b/tools.py": PREAMBLE
            + "from shop.a.tools import mine\nlater = mine\n@tool\ndef other(): ...\n"
            + "again = other\nif True:\n    @tool\n    def inside(): ...\n",
        }
    )
    assert found(TOOLS) == [("mine", 2)]
    assert found(TOOLS, "shop.b") == [("other", 4), ("inside", 8)]


def test_classes_are_collected_by_what_they_derive_from(folder: ProjectFolder) -> None:
    folder.write({"shop/a/bases.py": PREAMBLE + "class One(Base): ...\nclass No: ...\n"})
    assert found(BASES) == [("a.One", 2)]


def test_what_stands_in_a_further_module_is_named_as_in_the_first(folder: ProjectFolder) -> None:
    folder.write(
        {
            "shop/a/bases.py": PREAMBLE + "class One(Base): ...\n",
            "shop/a/tools.py": PREAMBLE + "class Two(Base): ...\n",
        }
    )
    both = Kind(name="bases", type=Base, module="bases", subclasses=True, also=("tools",))
    assert found(both) == [("a.One", 2), ("a.Two", 2)]


def test_a_package_is_searched_with_its_modules(folder: ProjectFolder) -> None:
    folder.write(
        {
            "shop/a/bases/__init__.py": "from .deep import Two\n",
            "shop/a/bases/deep.py": PREAMBLE + "class Two(Base): ...\n",
        }
    )
    assert found(BASES) == [("a.deep.Two", 2)]


def test_an_absent_module_gives_nothing(folder: ProjectFolder) -> None:
    folder.write({"shop/a/other.py": ""})
    assert found(TOOLS) == []
    assert load_module("shop.a.tools") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nowhere_to_be_found\n", "install 'nowhere_to_be_found' or mend the import"),
        ("x = 1\n1 / 0\n", "tools.py:2: shop.a.tools does not load: ZeroDivisionError"),
        ("def broken(:\n", "tools.py:1: shop.a.tools does not load: SyntaxError"),
    ],
)
def test_a_module_that_does_not_load_is_one_line(
    text: str, said: str, folder: ProjectFolder
) -> None:
    folder.write({"shop/a/tools.py": text})
    with pytest.raises(ComponentError) as caught:
        load_module("shop.a.tools")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_value_that_its_kind_refuses_is_reported_with_its_place(folder: ProjectFolder) -> None:
    def refuse(value: object) -> None:
        raise ForgeError("no good", code="tasks.E001")

    kind = Kind(name="tools", type=Tool, module="tools", validate=refuse)
    folder.write({"shop/a/tools.py": PREAMBLE + "@tool\ndef mine(): ...\n"})
    with pytest.raises(ForgeError, match=r"tools.py:2: no good"):
        list(discover(kind, "shop.a", "a"))


def test_names_are_read_from_every_form_of_statement() -> None:
    source = "a, (b, c) = 1, (2, 3)\nd: int = 4\ntry:\n    e = 1\nexcept E:\n    f = 2\nimport g\n"
    assert top_level_names(source) == {"a": 1, "b": 1, "c": 1, "d": 2, "e": 4, "f": 6}
    nested = "for x in y:\n    h = 1\nmatch x:\n    case 1:\n        i = 2\ndef f():\n    j = 3\n"
    assert top_level_names(nested) == {"h": 2, "i": 5, "f": 6}


def test_changing_what_was_imported_does_not_make_it_ones_own() -> None:
    assert top_level_names("from a import router\nrouter.tags = []\nrouter['x'] = 1\n") == {}
