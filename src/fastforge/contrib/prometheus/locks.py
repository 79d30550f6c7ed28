"""Locks: what one process holds until it lets go or dies, however it dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Self

__all__ = ["Lock", "is_possible"]

is_possible = sys.platform != "win32"
"""Whether processes can meet in a folder: not on Windows, where a server is one process."""


class Lock:
    """A lock on a file that is held.

    Attributes:
        descriptor: The file, open for reading and writing.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    @classmethod
    def take(cls, file: Path, *, waits: bool = False, is_new: bool = False) -> Self | None:
        """Return a lock on a file; None while somebody else has it.

        Args:
            file: The file; it is made if need be.
            waits: Whether to wait for it.
            is_new: Whether the file must not be there yet.

        Raises:
            OSError: The file cannot be opened or made.
        """
        import fcntl  # Windows has none

        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | (os.O_EXCL if is_new else 0)
        descriptor = os.open(file, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
        except BaseException as error:
            os.close(descriptor)
            if isinstance(error, BlockingIOError):
                return None
            raise
        return cls(descriptor)

    def release(self) -> None:
        """Let go; memory that is that of the file would keep the lock as long as it is used."""
        import fcntl

        fcntl.flock(self.descriptor, fcntl.LOCK_UN)
        os.close(self.descriptor)
