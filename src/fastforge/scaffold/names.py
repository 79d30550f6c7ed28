"""Names: what a project may be called, and why not."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import keyword
import re
import sys
import unicodedata
from pathlib import Path
from typing import Final

from ..exceptions import CommandError

__all__ = ["check_name", "refuse_hiding"]

# A package of Python and a project of `pyproject.toml` at once.
_NAME: Final = re.compile(r"[A-Za-z](?:[A-Za-z0-9_]*[A-Za-z0-9])?")
_LONGEST: Final = 100
"""In characters: a path has to hold the name twice."""

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
            hint=f"use letters, digits and _, for example {_free(_nearest_valid(name))}",
        )
    if len(name) > _LONGEST:
        raise CommandError(
            f"a name of {len(name)} characters is too long for a package",
            code="scaffold.E001",
            hint=f"use at most {_LONGEST}",
        )
    if keyword.iskeyword(name):
        raise CommandError(
            f"{name!r} is a keyword of Python",
            code="scaffold.E002",
            hint=f"choose another name, for example {_free(f'{name}_project')}",
        )
    refuse_hiding(name)


def refuse_hiding(name: str) -> None:
    """Refuse a name that something importable has.

    Inside a package it hides that only where the package's own folder is on the path: when one of
    its files is run by itself, for example. Then the error is far from its cause.

    Raises:
        CommandError: Python, an installed package or the project's own files have the name.
    """
    if hidden := _hidden(name):
        raise CommandError(
            f"a package {name!r} would hide {hidden}",
            code="scaffold.E003",
            hint=f"choose another name, for example {_free(f'my_{name}')}",
        )


def _nearest_valid(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = re.findall(r"[A-Za-z0-9]+", plain)
    valid = "_".join(words).lstrip("0123456789_").lower()
    return valid if _NAME.fullmatch(valid) else "my_project"


def _free(name: str) -> str:
    """Return the name, or one that begins with it and is free."""
    while keyword.iskeyword(name) or _hidden(name):
        name = f"{name}_project"
    return name


def _hidden(name: str) -> str:
    """Return what a package of this name would hide; empty when nothing."""
    if name.casefold() in _OWN_FILES:
        return "the new project's own files"
    if name in sys.stdlib_module_names:
        return f"the module {name!r} of Python"
    return _importable(name) or _installed(name)


def _importable(name: str) -> str:
    spec = importlib.util.find_spec(name)
    if spec is None:
        return ""
    places = [*(spec.submodule_search_locations or ()), *([spec.origin] if spec.origin else [])]
    here = Path.cwd()
    if all(Path(place).resolve().parent in (here, here / name) for place in places):
        return ""  # a folder that is here already: its files are never written over
    return str(places[-1])


def _installed(name: str) -> str:
    """Return the installed distribution that installing the project would take the place of.

    `pip install .` in a project `python_dotenv` would uninstall what imports as `dotenv`.
    """
    try:
        found = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
    # A project that was installed itself has brought no module.
    has_modules = any(file.suffix in (".py", ".pth") for file in found.files or ())
    return f"the installed distribution {found.name!r}" if has_modules else ""
