"""New app: what `startapp` writes into a project, worked out and tried before a file is written."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..exceptions import CommandError
from ..project import Outline
from ..scaffold.app import AppPlace, check_app_name, new_app
from ..scaffold.changes import Change
from ..scaffold.installed import entry_of, install, install_at_end
from ..scaffold.names import refuse_hiding
from ..scaffold.resource import read_resource, resource_changes
from ..scaffold.staging import new_files, staged

if TYPE_CHECKING:
    from ..apps import AppConfig

__all__ = ["PlannedApp", "plan_app"]

DATABASE: Final = "fastforge.contrib.db"
JOBS: Final = "fastforge.contrib.jobs"
DEFAULT_WIDTH: Final = 88
"""How long a line may be for ruff and black where no setting says it, in characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedApp:
    """What `startapp` writes, and what is left to do.

    Args:
        changes: The files that are made and edited.
        to_add_by_hand: The entry of INSTALLED_APPS that could not be written; empty when it was.
        next_steps: The commands that come next.
    """

    changes: tuple[Change, ...]
    to_add_by_hand: str
    next_steps: tuple[str, ...]


def plan_app(
    name: str, resource: str, fields: Sequence[str], *, settings_module: str | None = None
) -> PlannedApp:
    """Work out what `startapp` writes; nothing has been written when this returns.

    Args:
        name: The app as it was typed: a label or a dotted name.
        resource: What `--resource` says; empty for an app to start from.
        fields: The resource's fields.
        settings_module: What `--settings` says.

    Raises:
        CommandError: The app cannot be had under this name, or the project would not load.
        ErrorGroup: Every mistake in the fields.
    """
    if fields and not resource:
        raise CommandError(
            f"{' '.join(fields)} is a field of nothing",
            code="scaffold.E012",
            hint=f"name the resource: manage startapp {name} --resource item {' '.join(fields)}",
        )
    wanted = read_resource(resource, fields) if resource else None
    outline = Outline.read(settings_module, named_by="--settings")
    app, is_installed = _place(name, outline, may_exist=wanted is not None)
    if wanted is not None and not app.has_database:
        raise CommandError(
            "a resource is kept in a database, and none is installed",
            code="scaffold.E013",
            hint=f'put "{DATABASE}" into INSTALLED_APPS, or leave --resource out',
        )
    changes = new_app(app) if wanted is None else resource_changes(app, wanted)
    tried, by_hand = (changes, "") if is_installed else _installed(outline, app, changes)
    migrations = _try(outline, app, tried)
    kept = changes if by_hand else tried
    return PlannedApp(
        changes=tuple(
            sorted((*kept, *migrations), key=lambda change: (not change.is_new, change.path))
        ),
        to_add_by_hand=by_hand,
        next_steps=(*(["python manage.py migrate"] if migrations else []), _tests(app, changes)),
    )


def _place(name: str, outline: Outline, *, may_exist: bool) -> tuple[AppPlace, bool]:
    """Return where the app is or will be, and whether it is installed already."""
    parts = name.split(".")
    label = parts[-1]
    check_app_name(label if all(part.isidentifier() for part in parts) else name)
    installed = next((app for app in outline.apps if name in (app.name, app.label)), None)
    if installed is not None and not may_exist:
        raise _exists(installed.name, installed.label)
    dotted = _dotted(name, outline) if installed is None else installed.name
    folder = _folder(dotted, outline)
    if installed is None:
        refuse_hiding(label)
        _refuse_taken(dotted, label, folder, outline.apps, may_exist=may_exist)
    names = {app.name for app in outline.apps}
    place = AppPlace(
        name=dotted,
        folder=folder,
        label=label if installed is None else installed.label,
        prefix=f"/{label.replace('_', '-')}" if installed is None else installed.prefix,
        tests=outline.settings.root / "tests",
        has_database=DATABASE in names,
        has_jobs=JOBS in names,
        width=_width(outline.settings.root),
    )
    return place, installed is not None


def _dotted(name: str, outline: Outline) -> str:
    """Return the full name of a new app: below the project's package unless it says another."""
    package, dot, _ = outline.settings.module.partition(".")
    return name if "." in name or not dot else f"{package}.{name}"


def _folder(dotted: str, outline: Outline) -> Path:
    """Return the folder of an app, which has to lie in the project."""
    root = outline.settings.root
    parent, _, last = dotted.rpartition(".")
    folders = [_import_root(outline)] if not parent else _folders_of(parent)
    homes = [Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")]
    for folder in folders:
        if folder.is_relative_to(root) and not any(folder.is_relative_to(home) for home in homes):
            return folder / last
    package = outline.settings.module.partition(".")[0]
    raise CommandError(
        f"there is no package {parent!r} in this project, which the app would be a part of",
        code="scaffold.E011",
        hint=f"write {package}.{last}, or make the folder with its __init__.py first",
    )


def _folders_of(package: str) -> list[Path]:
    try:
        spec = importlib.util.find_spec(package)
    except ModuleNotFoundError:
        spec = None
    places = spec.submodule_search_locations if spec else None
    return [Path(place).resolve() for place in places or ()]


def _import_root(outline: Outline) -> Path:
    """Return the folder that the project's package is imported from."""
    file = Path(outline.settings.raw.source.files[-1]).resolve()
    depth = outline.settings.module.count(".") + (file.name == "__init__.py")
    return file.parents[depth]


def _refuse_taken(
    dotted: str, label: str, folder: Path, apps: Sequence[AppConfig], *, may_exist: bool
) -> None:
    for app in apps:
        if app.label == label:
            raise CommandError(
                f"the installed app {app.name!r} has the label {label!r} already",
                code="scaffold.E011",
                hint="choose another name: tables and migrations are called after it",
            )
        if app.prefix == f"/{label.replace('_', '-')}":
            raise CommandError(
                f"the routes of {app.name!r} begin with {app.prefix} already",
                code="scaffold.E011",
                hint="choose another name, or give that app another prefix first",
            )
    is_package = (folder / "__init__.py").is_file()
    if (is_package and not may_exist) or (not is_package and _is_importable(dotted, folder)):
        raise _exists(dotted, label, hint="" if is_package else "choose another name")


def _is_importable(dotted: str, folder: Path) -> bool:
    spec = importlib.util.find_spec(dotted)
    if spec is None:
        return False
    # An empty folder, or one with only the remains of a deleted app, is no package.
    return spec.origin is not None or any(folder.glob("*.py"))


def _exists(dotted: str, label: str, hint: str = "") -> CommandError:
    return CommandError(
        f"{dotted} exists already",
        code="scaffold.E011",
        hint=hint or f"add to it with: manage startapp {label} --resource post title:str body:text",
    )


def _width(root: Path) -> int:
    """Return how long a line may be in the project."""
    for file, keys in (("ruff.toml", ()), (".ruff.toml", ()), ("pyproject.toml", ("tool", "ruff"))):
        try:
            table = tomllib.loads((root / file).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        for key in keys:
            table = table.get(key, {})
        if isinstance(width := table.get("line-length"), int):
            return width
    return DEFAULT_WIDTH


def _installed(
    outline: Outline, app: AppPlace, changes: tuple[Change, ...]
) -> tuple[tuple[Change, ...], str]:
    """Return the changes with the edit that installs the app, or what has to be added by hand."""
    sources = _sources(outline)
    edit = install(sources, app.name, app.prefix, width=app.width)
    if edit is not None:
        return (*changes, edit), ""
    settings, text = list(sources.items())[-1]
    where = outline.settings.raw.location("INSTALLED_APPS") or settings
    entry = entry_of(app.name, app.prefix)
    line = (
        f"INSTALLED_APPS is not written out as a list. Add to it by hand, at {where}:\n  {entry},"
    )
    if app.prefix:
        line += "\nand to the imports:\n  from fastforge.conf import App"
    only_to_try = Change(
        path=settings, before=text, after=install_at_end(text, app.name, app.prefix)
    )
    return (*changes, only_to_try), line


def _sources(outline: Outline) -> Mapping[Path, str]:
    """Return the settings' own files by path, in the order in which they run."""
    files = [Path(file).resolve() for file in outline.settings.raw.source.files]
    return {
        file: file.read_bytes().decode("utf-8", "surrogateescape")
        for file in files
        if file.is_relative_to(outline.settings.root)
    }


def _try(outline: Outline, app: AppPlace, changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """Load the project as it would be, and return the migrations that it makes.

    It is loaded in a process of its own, so that nothing stale is in the way, by its own
    `makemigrations`.
    """
    root = outline.settings.root
    migrations = app.folder / "migrations"
    command = ["makemigrations", app.label] if app.has_database else ["inspect", "apps"]
    with staged(root, changes, written_to=[migrations] if app.has_database else []) as stage:
        paths = [str(stage / _import_root(outline).relative_to(root)), *sys.path]
        result = subprocess.run(
            [sys.executable, "-m", "fastforge", "--settings", outline.settings.module, *command],
            cwd=stage,
            env=os.environ
            | {
                "PYTHONPATH": os.pathsep.join(filter(None, paths)),
                "PYTHONDONTWRITEBYTECODE": "1",
                "NO_COLOR": "1",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if result.returncode:
            raise _does_not_load(result.stderr or result.stdout)
        return tuple(new_files(stage, migrations, root))


def _does_not_load(output: str) -> CommandError:
    lines = [line for line in output.splitlines() if line.strip()]
    told = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    cause = next(iter((*told, *lines[-1:])), "it says nothing")
    return CommandError(
        f"the project does not load with the new app: {cause}",
        code="scaffold.E014",
        hint="nothing has been written",
    )


def _tests(app: AppPlace, changes: Sequence[Change]) -> str:
    root = app.tests.parent
    tests = [change.path for change in changes if change.path.is_relative_to(app.tests)]
    return f"python -m pytest {' '.join(str(each.relative_to(root)) for each in tests)}"
