"""Requirements: files that others name and that are not there, also as the source alone tells."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from ...._utils import did_you_mean
from ....exceptions import Location
from .errors import MigrationFileError
from .folders import AppFolder

__all__ = ["missing_file", "missing_in"]

REQUIRING: Final = ("down_revision", "depends_on")


def missing_file(
    required: str, path: Path, *, known: Iterable[str], labels: Collection[str]
) -> MigrationFileError:
    """Return the error for a file that requires a migration of which there is none.

    Args:
        required: The id that it names.
        path: The file.
        known: The ids of all files.
        labels: The labels of the installed apps.
    """
    label, _, name = required.partition(".")
    number = required.partition("_")[0]
    alike = [item for item in known if item.startswith(f"{number}_")]
    hint = did_you_mean(required, alike) or f"bring {name}.py back into the migrations of {label!r}"
    if label not in labels:
        hint = f"the app {label!r} has to be in INSTALLED_APPS"
    return MigrationFileError(
        f"the migration requires {required!r}, which does not exist",
        code="db.E104",
        hint=hint,
        where=Location(str(path), 1),
    )


def missing_in(folders: Iterable[AppFolder], known: Collection[str]) -> MigrationFileError | None:
    """Return the error of `migrate` for a file that is not there; None when none is missed.

    The files are read and not run: a process that serves imports no alembic. What a file computes
    in place of writing it is not seen.
    """
    folders = tuple(folders)
    labels = [folder.label for folder in folders]
    for folder in folders:
        for path in folder.files():
            for required in _required(path):
                if required not in known:
                    return missing_file(required, path, known=known, labels=labels)
    return None


def _required(path: Path) -> Iterator[str]:
    try:
        module = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return  # told by whoever runs the file
    found = {name: value for node in module.body for name, value in _assigned(node)}
    for name in REQUIRING:
        value = found.get(name)
        ids = value if isinstance(value, tuple | list) else (value,)
        yield from (each for each in ids if isinstance(each, str))


def _assigned(node: ast.stmt) -> Iterator[tuple[str, Any]]:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    value = getattr(node, "value", None)
    for target in targets:
        if isinstance(target, ast.Name) and isinstance(value, ast.expr):
            try:
                yield target.id, ast.literal_eval(value)
            except ValueError:
                yield target.id, None
