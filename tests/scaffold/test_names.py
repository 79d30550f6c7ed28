"""A project's name is refused when its package could not be imported, or would hide another."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fastforge.exceptions import CommandError
from fastforge.scaffold import new_project


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("my-shop", "[scaffold.E001] 'my-shop' cannot be the name of a package; use letters,"),
        ("my-shop", "for example my_shop"),
        ("2shop", "for example shop"),
        ("_shop", "for example shop"),
        ("shop_", "for example shop"),
        ("", "for example my_project"),
        ("läden", "[scaffold.E001] 'läden' cannot be the name of a package"),
        ("läden", "for example laden"),
        ("店", "for example my_project"),
        ("json!", "for example json_project"),
        ("../shop", "for example shop"),
        ("shop.web", "for example shop_web"),
        ("a" * 101, "[scaffold.E001] a name of 101 characters is too long for a package; use at"),
        ("class", "[scaffold.E002] 'class' is a keyword of Python; choose another name"),
        ("json", "[scaffold.E003] a package 'json' would hide the module 'json' of Python;"),
        ("sys", "[scaffold.E003] a package 'sys' would hide the module 'sys' of Python;"),
        ("fastforge", "[scaffold.E003] a package 'fastforge' would hide "),
        ("pydantic", "choose another name, for example my_pydantic"),
        ("python_dotenv", "would hide the installed distribution 'python-dotenv';"),
        ("fastforge_framework", "would hide the installed distribution 'fastforge-framework';"),
        ("Tests", "[scaffold.E003] a package 'Tests' would hide the new project's own files;"),
        ("tests", "[scaffold.E003] a package 'tests' would hide the new project's own files;"),
        ("manage", "[scaffold.E003] a package 'manage' would hide the new project's own files;"),
    ],
)
def test_names_that_are_refused(name: str, line: str) -> None:
    with pytest.raises(CommandError) as caught:
        new_project(name)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["shop", "Shop", "s", "shop2", "web_shop", "match"])
def test_names_that_are_taken(name: str) -> None:
    assert f"{name}/settings.py" in new_project(name).files


def test_a_folder_that_is_here_already_hides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`mkdir shop` first, and then `startproject shop`, is what many people do."""
    (tmp_path / "shop").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    assert new_project("shop").name == "shop"
