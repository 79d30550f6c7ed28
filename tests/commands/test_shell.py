"""Names for the shell: each value under its own name, whoever else has that name."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from fastforge.commands import ShellNames, shell_names
from fastforge.commands.shell import names_of
from fastforge.components import Component
from fastforge.exceptions import ComponentError, DependencyError, Location
from tests.folder import isolated


def component(app: str, name: str, value: object) -> Component[object]:
    return Component(kind="models", name=name, value=value, app=app, location=Location("x.py", 1))


def test_the_second_of_one_name_stands_behind_its_app() -> None:
    found = names_of(
        [
            component("blog", "blog.Note", 1),
            component("shop", "shop.Note", 2),
            component("shop", "shop.orders.Order", 3),
        ]
    )
    assert found == {"Note": 1, "shop_Note": 2, "Order": 3}


def test_the_decorator_returns_a_value_with_or_without_a_note() -> None:
    def search() -> dict[str, object]:
        return {}

    assert shell_names(search) == ShellNames(name="search", function=search)
    assert shell_names(note="fast")(search).note == "fast"


def test_what_the_shell_would_have_to_await_is_refused() -> None:
    async def search() -> dict[str, object]:
        return {}

    with pytest.raises(ComponentError, match=r"components\.E013.*'search', which is no plain"):
        shell_names(cast(Any, search))


def test_what_cannot_be_injected_is_refused_when_the_project_is_loaded(
    tmp_path: Path,
) -> None:
    with isolated(tmp_path) as folder:
        folder.write(
            {
                "shop/settings.py": 'INSTALLED_APPS = ["shop.notes"]',
                "shop/notes/shell_names.py": """
                    from fastforge.commands import shell_names

                    @shell_names
                    def pages(number: int) -> dict[str, object]:
                        return {}
                    """,
            }
        )
        with pytest.raises(DependencyError, match="number: int of pages cannot be filled"):
            folder.load()
