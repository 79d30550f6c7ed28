"""What is generated is laid out as `ruff format` would, and has nothing that ruff would change."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastforge.scaffold.app import AppPlace, new_app
from fastforge.scaffold.changes import Change, write_changes
from fastforge.scaffold.fields import LONGEST_NAME, TYPES
from fastforge.scaffold.resource import read_resource, resource_changes
from tests.processes import run

RUFF = """
[tool.ruff]
line-length = {width}
[tool.ruff.lint]
select = ["ASYNC", "B", "C4", "DTZ", "E", "F", "I", "RUF", "S", "SIM", "UP", "W"]
[tool.ruff.lint.per-file-ignores]
"**/tests/**" = ["S101"]
"""
LENGTHS = (1, 4, 8, 12, 16, 20, 24, 27, LONGEST_NAME)


def place(folder: Path, label: str, width: int, **has: bool) -> AppPlace:
    return AppPlace(
        name=f"shop.{label}",
        folder=folder / "shop" / label,
        label=label,
        prefix=f"/{label.replace('_', '-')}",
        tests=folder / "tests",
        width=width,
        **has,
    )


def word(first: str, length: int) -> str:
    """A name of some length, with underscores."""
    return (first + "bcd_efgh_ijk_lmnop_qrst_uv_wxyz")[:length].rstrip("_")


def everything(folder: Path, length: int, width: int) -> Iterator[tuple[Change, ...]]:
    yield new_app(place(folder, word("a", length), width))
    yield new_app(place(folder, word("b", length), width, has_jobs=False))
    yield new_app(place(folder, word("c", length), width, has_jobs=False, has_database=False))
    app = place(folder, word("d", length), width)
    names = [word(letter, length) for letter in "ghijkmnopq"]
    modifiers = [":unique", ":null", ":index", "", "", ":null", "", ":unique:index", "", ":null"]
    fields = [
        f"{name}:{type_}{modifier}"
        for name, type_, modifier in zip(names, TYPES, modifiers, strict=False)
        if modifier != ":index" or TYPES[type_].is_comparable
    ]
    fields = [field.replace("json:unique:index", "json") for field in fields]
    yield resource_changes(app, read_resource(word("e", length), fields))
    # Once more, into the modules that are there.
    yield resource_changes(app, read_resource(word("f", length), ["a:date:null", "b:bool"]))


@pytest.mark.parametrize("width", [88, 100])
def test_ruff_has_nothing_to_say_whatever_the_length_of_names(width: int, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(RUFF.format(width=width))
    for length in LENGTHS:
        for changes in everything(tmp_path / f"length_{length}", length, width):
            write_changes(changes)
    for command in (["format", "--diff"], ["check", "--no-cache"]):
        result = run([sys.executable, "-m", "ruff", *command, "."], cwd=tmp_path)
        assert result.returncode == 0, result.stdout


def test_an_app_has_at_most_eight_files(tmp_path: Path) -> None:
    """Besides these there are the two that makemigrations writes."""
    app = place(tmp_path, "blog", 88)
    for changes in (new_app(app), resource_changes(app, read_resource("post", ["title:str"]))):
        assert len(changes) + 2 <= 8
        assert all(change.is_new for change in changes)
