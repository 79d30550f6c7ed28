"""Place: where a project is, found without importing anything of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .._modules import find_module
from ..conf.finding import nearest_pyproject

__all__ = ["Place", "find_place"]


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
