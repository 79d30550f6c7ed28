"""Names: what a project may be called, and why not."""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
from pathlib import Path
from typing import Final

from ..exceptions import CommandError

__all__ = ["check_name"]

# A package of Python and a project of `pyproject.toml` at once.
_NAME: Final = re.compile(r"[A-Za-z](?:[A-Za-z0-9_]*[A-Za-z0-9])?")
_OWN_FILES: Final = frozenset({"manage", "tests"})


def check_name(name: str) -> None:
    """Refuse a name that the project's package could not have.

    Raises:
        CommandError: It is no identifier, a keyword, or the name of something importable.
    """
    if not _NAME.fullmatch(name):
        raise CommandError(
            f"{name!r} cannot be the name of a package",
            code="scaffold.E001",
            hint=f"use letters, digits and _, for example {_nearest_valid(name)}",
        )
    if keyword.iskeyword(name):
        raise CommandError(
            f"{name!r} is a keyword of Python",
            code="scaffold.E002",
            hint=f"choose another name, for example {name}_project",
        )
    if origin := _origin(name):
        raise CommandError(
            f"a package {name!r} would hide {origin}",
            code="scaffold.E003",
            hint=f"choose another name, for example my_{name}",
        )


def _nearest_valid(name: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", name)
    valid = "_".join(words).lstrip("0123456789_").lower()
    return valid if _NAME.fullmatch(valid) and not keyword.iskeyword(valid) else "my_project"


def _origin(name: str) -> str:
    """Return what a package of this name would hide; empty when nothing."""
    if name in _OWN_FILES:
        return "the new project's own files"
    if name in sys.stdlib_module_names:
        return f"the module {name!r} of Python"
    spec = importlib.util.find_spec(name)
    if spec is None:
        return ""
    places = [*(spec.submodule_search_locations or ()), *([spec.origin] if spec.origin else [])]
    here = Path.cwd()
    if all(Path(place).resolve().parent in (here, here / name) for place in places):
        return ""  # a folder that is here already: its files are never written over
    return str(places[-1])
