"""Turn: of several workers that want to be replaced, one at a time is."""

from __future__ import annotations

import fcntl
import tempfile

__all__ = ["Turn"]


class Turn:
    """A lock that one process holds until it ends, however it ends.

    It is one of `lockf`, which belongs to the process: its children do not inherit it, and of one
    that is killed the system takes it away.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115

    def take(self) -> bool:
        """Return whether it is this process's turn; it then is until the process ends."""
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Give it back, and wait for no other one."""
        self._file.close()
