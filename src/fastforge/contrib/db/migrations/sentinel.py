"""Sentinel: a file beside a SQLite database that one process at a time has locked."""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Sentinel", "holder_of", "sentinel_path", "take"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentinel:
    """The locked file. The system unlocks it when the process ends, however it ends."""

    path: Path
    descriptor: int

    def release(self) -> None:
        """Remove the file and unlock it."""
        # In this order: who opens it in between locks a file that is not there any more, sees
        # that, and tries again.
        self.path.unlink(missing_ok=True)
        os.close(self.descriptor)


def sentinel_path(database: str) -> Path:
    """Return the file for a SQLite database."""
    return Path(f"{database}-migrating")


def take(path: Path) -> Sentinel | None:
    """Lock the file, or return None while another process has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), os.stat(path)):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()} {time.time()}\n".encode())
            return Sentinel(path=path, descriptor=descriptor)
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def holder_of(path: Path) -> str:
    """Return who has the file, for messages."""
    try:
        pid, since = path.read_text().split()
        age_s = max(0.0, time.time() - float(since))
        return f"the process {pid}, which began {age_s:.0f} s ago,"
    except (OSError, ValueError):  # it is gone, or has not written it yet
        return "another process"
