"""Files: an app's `migrations` folder, read into Migration values."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from ...._utils import failing_line, first_line, told
from ....exceptions import ErrorGroup, ForgeError, Location
from .errors import MigrationFileError
from .folders import AppFolder
from .history import History
from .migration import Migration

__all__ = ["load_history"]


def load_history(folders: Iterable[AppFolder], *, conflicting: bool = False) -> History:
    """Read the migrations of all apps.

    Args:
        folders: Where they stand.
        conflicting: Take apps with several last migrations too: to join them.

    Raises:
        ErrorGroup: Every file that does not load or has a wrong form, or every app that has
            several last migrations.
        MigrationFileError: The migrations do not fit together.
    """
    migrations: list[Migration] = []
    errors: list[ForgeError] = []
    folders = tuple(folders)
    for folder in folders:
        for path in folder.files():
            try:
                migrations.append(_load(folder.label, path))
            except MigrationFileError as error:
                errors.append(error)
    if errors:
        raise ErrorGroup(errors)
    history = History([folder.label for folder in folders], migrations)
    conflicts = tuple(filter(None, map(history.conflict, history.labels)))
    if conflicts and not conflicting:
        raise conflicts[0] if len(conflicts) == 1 else ErrorGroup(conflicts)
    return history


def _load(label: str, path: Path) -> Migration:
    module = _execute(label, path)
    _check_id(module, label, path)
    if not callable(getattr(module, "upgrade", None)):
        raise _wrong_form(path, "it has no function upgrade(op)")
    return Migration(
        label=label,
        name=path.stem,
        path=path,
        summary=first_line(module.__doc__ or ""),
        previous=_ids(module, "down_revision", path),
        depends_on=_ids(module, "depends_on", path),
        atomic=bool(getattr(module, "atomic", True)),
        safe=_safe(module, path),
        upgrade=module.upgrade,
        downgrade=getattr(module, "downgrade", None),
    )


def _execute(label: str, path: Path) -> ModuleType:
    # Not imported: the module system would keep a stale copy of a file that is written again,
    # and would write __pycache__ beside it.
    module = ModuleType(f"{label}.migrations.{path.stem}")
    module.__file__ = str(path)
    try:
        code = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
        exec(code, module.__dict__)
    except Exception as error:
        raise MigrationFileError(
            f"the migration does not load: {_cause(error)}",
            code="db.E101",
            where=failing_line(error, file=str(path)) or Location(str(path), 1),
        ) from error
    return module


def _cause(error: Exception) -> str:
    # The place that a SyntaxError adds to its text is told apart from it.
    return f"{type(error).__name__}: {error.msg}" if isinstance(error, SyntaxError) else told(error)


def _check_id(module: ModuleType, label: str, path: Path) -> None:
    expected = f"{label}.{path.stem}"
    got: Any = getattr(module, "revision", None)
    if got != expected:
        raise MigrationFileError(
            f"the migration says revision = {got!r}",
            code="db.E102",
            hint=f"it has to be the app's label and the file's name: \"{expected}\"",
            where=Location(str(path), 1),
        )


def _ids(module: ModuleType, name: str, path: Path) -> tuple[str, ...]:
    value = getattr(module, name, None)
    if value is None:
        return ()
    ids = (value,) if isinstance(value, str) else value
    if not isinstance(ids, (tuple, list)) or not all(isinstance(item, str) for item in ids):
        raise _wrong_form(path, f"{name} = {value!r} is no id and no tuple of ids")
    return tuple(ids)


def _safe(module: ModuleType, path: Path) -> str:
    reason = getattr(module, "safe", "")
    if isinstance(reason, str) and (reason.strip() or not hasattr(module, "safe")):
        return reason
    raise MigrationFileError(
        f"the migration says safe = {reason!r}, which is no reason",
        code="db.E153",
        hint='write why it is: safe = "the table is empty until the next release"',
        where=Location(str(path), 1),
    )


def _wrong_form(path: Path, problem: str) -> MigrationFileError:
    return MigrationFileError(
        f"this is no migration: {problem}",
        code="db.E103",
        hint="manage makemigrations APP --empty writes a file of the right form",
        where=Location(str(path), 1),
    )
