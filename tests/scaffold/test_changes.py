"""Changes are made together or not at all, and never over what somebody else wrote."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

import click
import pytest

from fastforge.exceptions import CommandError
from fastforge.scaffold import Change, show_diff, summary, write_changes


def contents(folder: Path) -> Mapping[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def refused(*changes: Change) -> str:
    with pytest.raises(CommandError) as caught:
        write_changes(changes)
    return str(caught.value)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with one file in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "settings.py").write_bytes(b"A = 1\r\nB = 2\r\n")
    return tmp_path


@pytest.fixture
def edit(here: Path) -> Change:
    return Change(
        path=here / "settings.py", before="A = 1\r\nB = 2\r\n", after="A = 1\r\nB = 3\r\n"
    )


def test_files_are_made_with_their_folders_and_edited_in_place(here: Path, edit: Change) -> None:
    """Ends of lines, the mode of a file and a link to it stay as they were."""
    (here / "settings.py").rename(here / "real.py")
    (here / "settings.py").symlink_to("real.py")
    (here / "real.py").chmod(0o640)
    new = Change(path=here / "shop" / "blog" / "models.py", after="C = 1\n")
    assert write_changes([edit, new]) == (edit.path, new.path)
    assert new.path.read_bytes() == b"C = 1\n"
    assert (here / "real.py").read_bytes() == b"A = 1\r\nB = 3\r\n"
    assert stat.S_IMODE((here / "real.py").stat().st_mode) == 0o640
    assert (here / "settings.py").is_symlink()
    assert sorted(os.listdir(here)) == ["real.py", "settings.py", "shop"]


def test_new_files_are_executable_or_private_when_they_say_so(here: Path) -> None:
    write_changes(
        [
            Change(path=here / "manage.py", after="", is_executable=True),
            Change(path=here / ".env", after="", is_private=True),
        ]
    )
    assert os.access(here / "manage.py", os.X_OK)
    assert stat.S_IMODE((here / ".env").stat().st_mode) == 0o600


def test_a_file_in_the_way_stops_all(here: Path, edit: Change) -> None:
    (here / "dangling").symlink_to("nowhere")
    before = contents(here)
    line = refused(edit, *(Change(path=here / name, after="") for name in ("new", "dangling")))
    assert line.startswith("[scaffold.E004] dangling exists already; ")
    assert contents(here) == before


def test_a_file_that_somebody_else_has_changed_is_left_alone(here: Path, edit: Change) -> None:
    edit.path.write_text("A = 2\n")
    before = contents(here)
    line = refused(Change(path=here / "new", after=""), edit)
    assert line.startswith("[scaffold.E006] settings.py has changed since it was read; ")
    assert contents(here) == before


@pytest.mark.parametrize("place", ["file/inside/new.py", "settings.py/new.py"])
def test_what_cannot_be_written_is_one_line_and_nothing_is_left(
    place: str, here: Path, edit: Change
) -> None:
    (here / "file").touch()
    before = contents(here)
    first = Change(path=here / "shop" / "blog" / "first.py", after="")
    line = refused(first, Change(path=here / place, after=""), edit)
    assert line.startswith("[scaffold.E005] ")
    assert "cannot be written: Not a directory; choose another folder" in line
    assert contents(here) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_somebody_else_is_one_line(here: Path) -> None:
    (here / "closed").mkdir(mode=0o500)
    line = refused(Change(path=here / "closed" / "new.py", after=""))
    assert line == (
        "[scaffold.E005] closed/new.py cannot be written: Permission denied; choose another folder"
    )


def test_an_edit_that_fails_takes_the_edits_before_it_back(
    here: Path, edit: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second file becomes a folder in the very last moment."""
    other = Change(path=here / "base.py", before="", after="D = 1\n")
    other.path.touch()
    replace = Path.replace

    def interrupted(source: Path, target: Path) -> Path:
        if target.name == "base.py":
            target.unlink()
            target.mkdir()
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    line = refused(Change(path=here / "new.py", after=""), edit, other)
    assert line.startswith("[scaffold.E005] base.py cannot be written: Is a directory; ")
    assert contents(here) == {"settings.py": b"A = 1\r\nB = 2\r\n", "base.py": None}


def test_a_dry_run_says_what_stands_in_the_way_and_writes_nothing(here: Path, edit: Change) -> None:
    before = contents(here)
    new = Change(path=here / "shop" / "new.py", after="")
    write_changes([new, edit], dry_run=True)
    assert list(summary([new, edit], dry_run=True)) == [
        f"would write {Path('shop/new.py')}",
        "would edit settings.py",
    ]
    assert list(summary([new, edit])) == [f"wrote {Path('shop/new.py')}", "edited settings.py"]
    with pytest.raises(CommandError):
        write_changes([Change(path=edit.path, after="")], dry_run=True)
    assert contents(here) == before


def test_a_diff_can_be_applied(here: Path, edit: Change) -> None:
    without_end = Change(path=here / "new.txt", after="no end of line")
    changes = [edit, without_end, Change(path=here / "shop" / "blog.py", after="C = 1\n")]
    text = click.unstyle(show_diff(changes))
    subprocess.run(["git", "apply", "-"], input=text.encode(), cwd=here, check=True)
    for change in changes:
        assert change.path.read_bytes().decode() == change.after


def test_a_diff_is_coloured(edit: Change) -> None:
    text = show_diff([edit])
    assert click.style("+B = 3", fg="green") in text
    assert click.style("-B = 2", fg="red") in text
    assert click.style("--- a/settings.py", bold=True) in text
