"""What can be unwise about static files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ...apps.folders import find_folders
from ...checks import Level, Message, check
from ...exceptions import Location
from .settings import Static

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["directories_exist", "names_are_unique", "no_code_is_served"]


@check(tags={"static", "settings"})
def directories_exist(project: Project) -> Iterator[Message]:
    """Find a folder that STATIC names and that is not there."""
    for directory in project.settings.section(Static).directories:
        if not (project.settings.root / directory).is_dir():
            yield Message(
                id="static.E001",
                level=Level.ERROR,
                text=f"STATIC.directories names {str(directory)!r}, which is no folder",
                hint=f"make it, or correct the name: it is relative to {project.settings.root}",
                where=project.settings.where("STATIC"),
            )


@check(tags={"security", "static", "settings"})
def no_code_is_served(project: Project) -> Iterator[Message]:
    """Refuse a folder that the settings module lies in: everybody could read the source."""
    files = [Path(file).resolve() for file in project.settings.raw.source.files]
    for directory in project.settings.section(Static).directories:
        folder = (project.settings.root / directory).resolve()
        if any(file.is_relative_to(folder) for file in files):
            yield Message(
                id="static.E002",
                level=Level.ERROR,
                text=f"STATIC.directories names {str(directory)!r}: the project's source is served",
                hint="move the files that are meant into a folder of their own, and name that",
                where=project.settings.where("STATIC"),
            )


@check(tags={"static"})
def names_are_unique(project: Project) -> Iterator[Message]:
    """Warn of files with one name in two apps: only the first is ever served."""
    first: dict[str, str] = {}
    for folder in find_folders(project.settings, "static"):
        for path in sorted(folder.path.rglob("*")):
            name = path.relative_to(folder.path).as_posix()
            if not path.is_file() or any(part.startswith(".") for part in Path(name).parts):
                continue
            app = first.setdefault(name, folder.app)
            if app != folder.app:
                yield Message(
                    id="static.W001",
                    level=Level.WARNING,
                    text=f"the apps {app} and {folder.app} both have static/{name}:"
                    f" that of {app} is served",
                    hint=f"move it to static/{folder.app.rpartition('.')[2]}/{name}",
                    where=Location(str(path), 1),
                )
