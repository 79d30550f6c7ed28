"""Staging: a project as it would be after some changes, in a folder of its own, to try it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .changes import Change

__all__ = ["new_files", "staged"]


@contextmanager
def staged(
    root: Path, changes: Iterable[Change], *, written_to: Iterable[Path] = ()
) -> Iterator[Path]:
    """Give a copy of a folder in which changes have been made; it is gone at the end.

    What does not change is linked, not copied, so that this costs the same in a large project.
    Whoever runs programs in it has to keep them from writing anywhere but `written_to`.

    Args:
        root: The folder.
        changes: What is different in the copy; all of it below the folder.
        written_to: More folders that a program may write new files into.
    """
    changes = tuple(changes)
    with tempfile.TemporaryDirectory(prefix="fastforge-") as name:
        stage = Path(name).resolve()
        folders = {parent for change in changes for parent in change.path.parents}
        folders |= {parent for each in written_to for parent in (each, *each.parents)}
        for folder in sorted(each for each in folders if each.is_relative_to(root)):
            _mirror(folder, stage / folder.relative_to(root))
        for change in changes:
            path = stage / change.path.relative_to(root)
            path.unlink(missing_ok=True)
            path.write_bytes(change.after.encode("utf-8", "surrogateescape"))
        yield stage


def new_files(stage: Path, folder: Path, root: Path) -> Iterator[Change]:
    """Yield the Python files that a program has made in a staged folder, as changes.

    Args:
        stage: The copy.
        folder: The folder to look into, in the real project.
        root: The real project.
    """
    for path in sorted((stage / folder.relative_to(root)).glob("*.py")):
        real = folder / path.name
        if not path.is_symlink() and not real.exists():
            yield Change(path=real, after=path.read_bytes().decode())


def _mirror(folder: Path, copy: Path) -> None:
    # Its parent's copy has a link to the whole folder.
    if copy.is_symlink():
        copy.unlink()
    copy.mkdir(exist_ok=True)
    if folder.is_dir():
        for entry in folder.iterdir():
            if entry.name != "__pycache__":
                (copy / entry.name).symlink_to(entry)
