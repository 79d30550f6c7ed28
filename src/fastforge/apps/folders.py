"""Folders of the installed apps: `templates/`, `static/`."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..conf import App, Settings

__all__ = ["Folder", "find_folders", "is_own"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder of files, and the app that it belongs to; no app for one of the settings."""

    path: Path
    app: str = ""


def find_folders(
    settings: Settings, name: str, directories: Iterable[str | Path] = ()
) -> tuple[Folder, ...]:
    """Return the folders that are searched for files, in this order.

    Those of the project's own apps are among them before they are made: a server that is running
    then finds the first file in one.

    Args:
        settings: The project's settings: its apps come in the order of INSTALLED_APPS.
        name: What the folder is called in an app's package.
        directories: Those that the project itself names: they come first, relative to its root.
    """
    named = [Folder(path=settings.root / directory) for directory in directories]
    return (*named, *_of_apps(settings, name))


def is_own(settings: Settings, path: str | Path) -> bool:
    """Return whether a file or folder belongs to the project, and was not installed into it."""
    real = Path(path).resolve()  # as the root is
    below = real.is_relative_to(settings.root)
    return below and not any(part.endswith("-packages") for part in real.parts)


def _of_apps(settings: Settings, name: str) -> Iterator[Folder]:
    entries: Iterable[str | App] = settings["INSTALLED_APPS"]
    for entry in entries:
        app = entry if isinstance(entry, str) else entry.name
        spec = importlib.util.find_spec(app)
        for location in (spec.submodule_search_locations if spec else None) or ():
            path = Path(location) / name
            if path.is_dir() or is_own(settings, path):
                yield Folder(path=path, app=app)
