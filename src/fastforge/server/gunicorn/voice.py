"""Voice: of several workers that fail alike, one says why."""

from __future__ import annotations

import os

__all__ = ["Voice"]


class Voice:
    """One word that only one process can take: a byte in a pipe that all of them read.

    ```python
    voice = Voice()      # before the processes are forked
    if voice.take():     # in each of them
        ...              # in one
    ```
    """

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        os.write(self._writing, b"1")

    def take(self) -> bool:
        """Return whether this process is the one that speaks."""
        try:
            return bool(os.read(self._reading, 1))
        except BlockingIOError:
            return False

    def renew(self) -> None:
        """Let one process speak again: what happens from now on is news."""
        self.take()
        os.write(self._writing, b"1")
