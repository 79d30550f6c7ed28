"""Modules: found and imported by the dotted names that settings and people write."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from typing import Any

__all__ = ["find_module", "import_object"]


def import_object(path: str) -> Any:
    """Import `package.module:attribute` or `package.module.attribute`.

    Raises:
        ImportError: The module does not exist or does not load.
        AttributeError: The module has no such attribute.
    """
    module_name, separator, attribute = path.partition(":")
    if not separator:
        module_name, _, attribute = path.rpartition(".")
    value: Any = importlib.import_module(module_name)
    for part in attribute.split("."):
        value = getattr(value, part)
    return value


def find_module(name: str) -> ModuleSpec | None:
    """Find a module as an import would, without importing the packages that it lies in.

    Args:
        name: The dotted name.
    """
    spec: ModuleSpec | None = None
    folders: list[str] | None = None
    for part in _beginnings(name):
        if spec is not None and folders is None:
            return None  # what it should lie in is no package
        spec = _find_in(folders, part)
        if spec is None:
            return None
        folders = spec.submodule_search_locations
    return spec


def _find_in(folders: list[str] | None, name: str) -> ModuleSpec | None:
    try:
        found = (finder.find_spec(name, folders) for finder in sys.meta_path if name)
        spec = next((each for each in found if each is not None), None)
    except KeyError:  # a folder without `__init__.py`, whose list asks for the imported parent
        spec = ModuleSpec(name, None, is_package=True)
    if spec is not None and spec.origin is None and spec.submodule_search_locations is not None:
        last = name.rpartition(".")[2]
        paths = (os.path.join(folder, last) for folder in folders or sys.path)
        spec.submodule_search_locations = [path for path in paths if os.path.isdir(path)]
    return spec


def _beginnings(name: str) -> Iterator[str]:
    """Yield `a`, `a.b`, `a.b.c` of `a.b.c`."""
    parts = name.split(".")
    yield from (".".join(parts[: end + 1]) for end in range(len(parts)))
