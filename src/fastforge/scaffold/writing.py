"""Writing: the files of a new project onto the disk, all of them or none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ..exceptions import CommandError
from .project import NewProject

__all__ = ["write_project"]

EXECUTABLE: Final = frozenset({"manage.py"})
PRIVATE: Final = frozenset({".env"})
SHOWN: Final = 3


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
    paths = {folder / name: text for name, text in project.files.items()}
    _refuse_existing([path for path in paths if path.exists() or path.is_symlink()])
    if not dry_run:
        try:
            for path, text in paths.items():
                _write(path, text)
        except OSError as error:
            raise CommandError(
                f"{error.filename or folder} cannot be written: {error.strerror}",
                code="scaffold.E005",
                hint="choose another folder",
            ) from error
    return tuple(paths)


def _refuse_existing(existing: Sequence[Path]) -> None:
    if existing:
        more = f" and {len(existing) - SHOWN} more" if len(existing) > SHOWN else ""
        raise CommandError(
            f"{', '.join(map(str, existing[:SHOWN]))}{more} exist already"
            if len(existing) > 1
            else f"{existing[0]} exists already",
            code="scaffold.E004",
            hint="choose another folder, or move them away: nothing is written over",
        )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(0o600 if path.name in PRIVATE else 0o666, exist_ok=False)
    path.write_text(text, encoding="utf-8", newline="\n")
    if path.name in EXECUTABLE:
        path.chmod(path.stat().st_mode | 0o111)
