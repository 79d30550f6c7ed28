"""Releases: which migration files others have already, as far as git tells."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..errors import MigrationError

__all__ = ["Releases", "releases"]

DEFAULT_BRANCHES: Final = ("origin/HEAD", "origin/main", "origin/master")


@dataclass(frozen=True, slots=True, kw_only=True)
class Releases:
    """A revision of the repository, and the files that are new or changed since.

    Args:
        base: Its name.
        top: The repository's folder.
        changed: The files.
    """

    base: str
    top: Path
    changed: frozenset[Path]

    def have(self, path: Path) -> bool:
        """Return whether that revision has a file as it is now; a strange file it has not."""
        path = path.resolve()
        return path.is_relative_to(self.top) and path not in self.changed


def releases(root: Path, *, since: str = "") -> Releases | None:
    """Return what is released, or None where git does not tell.

    It is what the main branch of `origin` had when the branch at hand left it.

    Args:
        root: A folder in the repository.
        since: Another revision in its place.

    Raises:
        MigrationError: There is no such revision.
    """
    top = _git(root, "rev-parse", "--show-toplevel")
    base = since or _default_branch(root)
    start = _git(root, "merge-base", "HEAD", base) if base else None
    if top is None or start is None:
        if since:
            raise MigrationError(
                f"git knows no revision {since!r}",
                code="db.E156",
                hint="give a branch, a tag or a commit that the working copy comes from",
            )
        return None
    folder = Path(top).resolve()
    names = [
        *(_git(folder, "diff", "--name-only", "-z", start) or "").split("\0"),
        *(_git(folder, "ls-files", "--others", "--exclude-standard", "-z") or "").split("\0"),
    ]
    return Releases(
        base=base, top=folder, changed=frozenset(folder / name for name in names if name)
    )


def _default_branch(root: Path) -> str:
    found = (name for name in DEFAULT_BRANCHES if _git(root, "rev-parse", "-q", "--verify", name))
    return next(found, "")


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git answers, or None when it refuses or is not there."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return None
    return done.stdout.strip("\n") if done.returncode == 0 else None
