"""Folders: where apps keep their migrations, and which there are, without running their files."""

from __future__ import annotations

import importlib.util
import re
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ....apps import AppConfig

__all__ = ["FILE_NAME", "AppFolder", "folder_of", "migration_ids"]

FILE_NAME: Final = re.compile(r"(?P<number>\d+)_\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class AppFolder:
    """Where an app keeps its migrations; the folder need not exist yet.

    Args:
        label: The app's label.
        path: The folder.
        editable: Whether `makemigrations` looks at the app when none is named: false for what
            was installed from a package index, whose files are not the user's to write.
    """

    label: str
    path: Path
    editable: bool = True

    def files(self) -> list[Path]:
        """Return the files that are migrations by their name, in order."""
        return [path for path in sorted(self.path.glob("*.py")) if FILE_NAME.fullmatch(path.stem)]


def folder_of(app: AppConfig) -> AppFolder:
    """Return where an installed app keeps its migrations."""
    spec = importlib.util.find_spec(app.name)
    places = list(spec.submodule_search_locations or ()) if spec else []
    path = Path(places[0]) if places else Path()
    installed = app.name.startswith("fastforge.") or _is_installed(path)
    return AppFolder(label=app.label, path=path / "migrations", editable=not installed)


def migration_ids(folders: Iterable[AppFolder]) -> set[str]:
    """Return the ids of all migrations, by the names of their files.

    A file that says another id than its name is refused where it is read.
    """
    return {f"{folder.label}.{path.stem}" for folder in folders for path in folder.files()}


def _is_installed(path: Path) -> bool:
    homes = {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")}
    return any(path.is_relative_to(home) for home in homes)
