"""A staged project is the project with the changes made, and the project itself stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fastforge.scaffold.changes import Change
from fastforge.scaffold.staging import new_files, staged


def contents(folder: Path) -> Mapping[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.glob("**/*")
        if path.is_file()
    }


def test_changes_are_seen_there_and_nothing_here(tmp_path: Path) -> None:
    for name in ("shop/settings.py", "shop/notes/models.py", "shop/notes/migrations/0001_a.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    before = contents(tmp_path)
    changes = [
        Change(path=tmp_path / "shop/settings.py", before="shop/settings.py", after="edited"),
        Change(path=tmp_path / "shop/blog/models.py", after="new"),
    ]
    migrations = tmp_path / "shop" / "notes" / "migrations"
    with staged(tmp_path, changes, written_to=[migrations]) as stage:
        there = stage / "shop"
        assert (there / "settings.py").read_text() == "edited"
        assert (there / "blog" / "models.py").read_text() == "new"
        assert (there / "notes" / "models.py").read_text() == "shop/notes/models.py"
        (there / "notes" / "migrations" / "0002_b.py").write_text("made")
        made = list(new_files(stage, migrations, tmp_path))
        assert made == [Change(path=migrations / "0002_b.py", after="made")]
        assert contents(tmp_path) == before
    assert not stage.exists()
    assert contents(tmp_path) == before


def test_nothing_is_made_in_a_folder_that_was_not_written_to(tmp_path: Path) -> None:
    change = Change(path=tmp_path / "a.py", after="")
    with staged(tmp_path, [change]) as stage:
        assert list(new_files(stage, tmp_path / "migrations", tmp_path)) == []
