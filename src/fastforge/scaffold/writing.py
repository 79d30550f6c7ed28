"""Writing: the files of a new project onto the disk, all of them or none."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from .changes import Change, write_changes
from .project import NewProject

__all__ = ["write_project"]

EXECUTABLE: Final = frozenset({"manage.py"})
PRIVATE: Final = frozenset({".env"})


def write_project(project: NewProject, folder: Path, *, dry_run: bool = False) -> tuple[Path, ...]:
    """Write the files of a project and return their paths.

    Surprises: `.env` holds a secret and is written for its owner's eyes only.

    Args:
        project: What to write.
        folder: Where to; it is made when it is not there.
        dry_run: Only look whether they could be written.

    Raises:
        CommandError: A file exists already, or the folder cannot be written into.
    """
    changes = [
        Change(
            path=folder / name,
            after=text,
            is_executable=name in EXECUTABLE,
            is_private=name in PRIVATE,
        )
        for name, text in project.files.items()
    ]
    return write_changes(changes, dry_run=dry_run)
