"""File: the facts about a SQLite file, and where it stands."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from ..engine import Engines

__all__ = ["FileFacts", "ask_file", "place_problem"]

MOUNTS: Final = Path("/proc/self/mounts")
NETWORK_FILE_SYSTEMS: Final = frozenset({"9p", "afs", "ceph", "cifs", "nfs", "nfs4", "smb3"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """A SQLite file as a connection of ours sees it.

    Attributes:
        version: The version of SQLite.
        journal_mode: `wal` where readers and a writer do not wait for each other.
        foreign_keys: Whether they are kept.
    """

    version: str
    journal_mode: str
    foreign_keys: bool


async def ask_file(engines: Engines) -> FileFacts:
    """Ask a file what holds on a connection that is prepared as all of ours are."""
    async with AsyncEngine(engines.read).connect() as connection:
        return FileFacts(
            version=str(await connection.scalar(text("SELECT sqlite_version()"))),
            journal_mode=str(await connection.scalar(text("PRAGMA journal_mode"))),
            foreign_keys=bool(await connection.scalar(text("PRAGMA foreign_keys"))),
        )


def place_problem(path: Path, *, mounts: Path = MOUNTS) -> str:
    """Return what is wrong with the place of a file; empty for nothing.

    Args:
        path: The file.
        mounts: The list of the mounted file systems, where the system has one.
    """
    kind = _file_system(path, mounts)
    if kind in NETWORK_FILE_SYSTEMS or kind.startswith("fuse.sshfs"):
        return f"it is on a file system of the network ({kind}), whose locks SQLite cannot rely on"
    if path.is_relative_to(Path(tempfile.gettempdir()).resolve()):
        return "it is in the folder for temporary files, which is emptied"
    if not os.access(path.parent, os.W_OK):
        return "its folder is not writable, and SQLite keeps two more files beside it"
    return ""


def _file_system(path: Path, mounts: Path) -> str:
    """Return the kind of file system that a path is on; empty where nobody tells."""
    if not mounts.exists():
        return ""
    found = (line.split()[1:3] for line in mounts.read_text().splitlines())
    fitting = [(mount, kind) for mount, kind in found if path.is_relative_to(mount)]
    return max(fitting, key=lambda each: len(each[0]), default=("", ""))[1]
