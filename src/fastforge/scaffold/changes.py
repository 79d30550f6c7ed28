"""Changes: files that a generator would write or edit, shown first or made all at once."""

from __future__ import annotations

import contextlib
import difflib
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from ..exceptions import CommandError

__all__ = ["Change", "show_diff", "summary", "write_changes"]

SHOWN: Final = 3
"""How many of the files in the way are named."""

_COLOURS: Final = {"+": "green", "-": "red", "@": "cyan"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One file as it is and as it shall be.

    ```python
    Change(path=Path("shop/blog/__init__.py"), after="BLOG = 1")
    ```

    Surprises: the texts are written as they are; a file keeps its ends of lines only
    if they are read as `path.read_bytes().decode()` gives them.

    Args:
        path: The file.
        before: Its text now; None for a file that does not exist yet.
        after: Its text then.
        is_executable: Whether everybody who may read a new file may also run it.
        is_private: Whether a new file is for its owner's eyes only.
    """

    path: Path
    before: str | None = None
    after: str
    is_executable: bool = False
    is_private: bool = False

    @property
    def is_new(self) -> bool:
        """Whether the file does not exist yet."""
        return self.before is None


def write_changes(changes: Iterable[Change], *, dry_run: bool = False) -> tuple[Path, ...]:
    """Make all changes, or none of them, and return the paths.

    Surprises: files that exist are edited last, each by a rename, so that whoever reads one (a
    server that reloads) sees it as it was or as it shall be, and finds the new files there.

    Args:
        changes: What to write.
        dry_run: Only look whether anything stands in the way.

    Raises:
        CommandError: A new file exists already, one to edit is not what was read, or a file or
            folder cannot be written.
    """
    changes = tuple(changes)
    _refuse_existing([change.path for change in changes if change.is_new and _exists(change.path)])
    for change in changes:
        _refuse_changed(change)
    if not dry_run:
        with contextlib.ExitStack() as undoing:
            for change in changes:
                if change.is_new:
                    with _telling(change.path):
                        _create(change, undoing)
            _edit([change for change in changes if not change.is_new], undoing)
            undoing.pop_all()
    return tuple(change.path for change in changes)


def summary(changes: Iterable[Change], *, dry_run: bool = False) -> Iterator[str]:
    """Yield a line for each change: what was, or would be, written or edited."""
    for change in changes:
        verb = "write" if change.is_new else "edit"
        done = "wrote" if change.is_new else "edited"
        yield f"{f'would {verb}' if dry_run else done} {_shown(change.path)}"


def show_diff(changes: Iterable[Change]) -> str:
    """Return all changes as one unified diff, as `git apply` and `patch -p1` read it.

    It is coloured: `click.echo` takes the colours out where no terminal reads.
    """
    return "".join(_styled(line) for change in changes for line in _diff(change))


def _diff(change: Change) -> Iterator[str]:
    name = _shown(change.path)
    for line in difflib.unified_diff(
        (change.before or "").splitlines(keepends=True),
        change.after.splitlines(keepends=True),
        "/dev/null" if change.is_new else f"a/{name}",
        f"b/{name}",
    ):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _styled(line: str) -> str:
    text = line.rstrip("\r\n")
    if text.startswith(("--- ", "+++ ")):
        return click.style(text, bold=True) + line[len(text) :]
    colour = _COLOURS.get(text[:1])
    return click.style(text, fg=colour) + line[len(text) :] if colour else line


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _exists(path: Path) -> bool:
    return os.path.lexists(path)  # what cannot be looked at is told when it cannot be written


def _refuse_existing(existing: Sequence[Path]) -> None:
    if existing:
        names = ", ".join(map(_shown, existing[:SHOWN]))
        more = f" and {len(existing) - SHOWN} more" if len(existing) > SHOWN else ""
        raise CommandError(
            f"{names}{more} exist already" if len(existing) > 1 else f"{names} exists already",
            code="scaffold.E004",
            hint="choose another folder, or move them away: nothing is written over",
        )


def _refuse_changed(change: Change) -> None:
    if change.is_new:
        return
    with _telling(change.path):
        found = change.path.read_bytes()
    if found != (change.before or "").encode("utf-8", "surrogateescape"):
        raise CommandError(
            f"{_shown(change.path)} has changed since it was read",
            code="scaffold.E006",
            hint="nothing is written; run the command again",
        )


@contextlib.contextmanager
def _telling(path: Path) -> Iterator[None]:
    """Tell what cannot be done with a file in one line."""
    try:
        yield
    except FileExistsError as error:
        if error.filename == str(path):
            _refuse_existing([path])  # somebody has just made it
        raise _unwritable(path, error) from error
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> CommandError:
    # The folder, where that is what cannot be made; never the name of our temporary file.
    place = Path(error.filename) if isinstance(error.filename, str) else path
    return CommandError(
        f"{_shown(place if place in path.parents else path)} cannot be written: {error.strerror}",
        code="scaffold.E005",
        hint="choose another folder",
    )


def _create(change: Change, undoing: contextlib.ExitStack) -> None:
    for folder in reversed([each for each in change.path.parents if not each.exists()]):
        folder.mkdir()
        undoing.callback(folder.rmdir)
    mode = 0o600 if change.is_private else 0o777 if change.is_executable else 0o666
    descriptor = os.open(change.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    undoing.callback(change.path.unlink)
    with open(descriptor, "w", encoding="utf-8", newline="") as file:
        file.write(change.after)


def _edit(changes: Sequence[Change], undoing: contextlib.ExitStack) -> None:
    waiting: list[tuple[Change, Path, Path]] = []
    for change in changes:
        with _telling(change.path):
            target = change.path.resolve()  # a link stays a link
            temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
            undoing.callback(temporary.unlink, missing_ok=True)
            temporary.write_text(change.after, encoding="utf-8", newline="")
            temporary.chmod(target.stat().st_mode)
            waiting.append((change, temporary, target))
    for change, temporary, target in waiting:
        with _telling(change.path):
            temporary.replace(target)
        undoing.callback(target.write_text, change.before or "", encoding="utf-8", newline="")
