"""Application: where a project's is, found without importing anything of the project."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .._utils import find_module
from ..conf.finding import nearest_pyproject
from ..exceptions import SettingsError

__all__ = ["Place", "find_application", "find_place"]

PLAIN_APPLICATION: Final = "fastforge.management.application:app"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a project is.

    Args:
        root: The folder of `pyproject.toml` and `.env`.
        import_folder: The folder that the project is imported from: the root, or `src` in it.
    """

    root: Path
    import_folder: Path


def find_place(settings_module: str, start: Path) -> Place:
    """Return where a project is: beside or above its settings, which need not exist.

    Args:
        settings_module: Its dotted name.
        start: The folder of a project whose settings cannot be found.
    """
    spec = find_module(settings_module)
    if spec is not None and spec.origin is not None:
        file = Path(spec.origin).resolve()
        start, import_folder = file.parent, file.parents[settings_module.count(".")]
    else:
        import_folder = start
    pyproject = nearest_pyproject(start)
    return Place(root=pyproject.parent if pyproject else import_folder, import_folder=import_folder)


def find_application(settings_module: str, root: Path) -> str:
    """Return `package.module:attribute`.

    It is the entry of `pyproject.toml`, else the `app` of the package's `asgi.py`, else one made
    of the settings alone.

    Raises:
        SettingsError: `pyproject.toml` is not valid.
    """
    if entrypoint := _entrypoint(root / "pyproject.toml"):
        return entrypoint
    package, separator, _ = settings_module.partition(".")
    has_asgi = separator and find_module(f"{package}.asgi")
    return f"{package}.asgi:app" if has_asgi else PLAIN_APPLICATION


def _entrypoint(pyproject: Path) -> str:
    if not pyproject.is_file():
        return ""
    try:
        tool = tomllib.loads(pyproject.read_text(encoding="utf-8")).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"pyproject.toml is not valid TOML: {error}", code="conf.E014", where=str(pyproject)
        ) from error
    return str(tool.get("fastapi", {}).get("entrypoint", ""))
