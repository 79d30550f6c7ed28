"""Errors can be told, wherever the process stands by then."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastforge.exceptions import ForgeError, Location


def test_a_place_below_the_working_directory_is_relative_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    below = Location(str(tmp_path / "shop" / "settings.py"), 7)
    assert str(below) == "shop/settings.py:7"
    assert str(Location("/elsewhere/settings.py", 7, 3)) == "/elsewhere/settings.py:7:3"


def test_an_error_is_told_after_its_working_directory_was_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = tmp_path / "release"
    release.mkdir()
    monkeypatch.chdir(release)
    release.rmdir()
    where = Location(str(release / "shop.py"), 7)
    error = ForgeError("the pool is exhausted", code="db.E009", where=where)
    assert str(error) == f"[db.E009] {release}/shop.py:7: the pool is exhausted"
