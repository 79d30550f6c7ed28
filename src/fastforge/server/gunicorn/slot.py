"""Slot: what a worker tells its manager, in memory that both of them see."""

from __future__ import annotations

import mmap
import struct
from typing import Final

__all__ = ["Slot"]

_SERVES, _LEAVES, _IS_TIRED, _IS_LAST, _HURRIES = 0, 1, 2, 3, 4
_SECONDS: Final = struct.Struct("d")
_STOP_AT: Final = 8


class Slot:
    """A few values of one worker. Its manager makes it before it forks, so that both see it.

    A worker may be killed at any moment: nothing of this waits for it, or is left locked by it.
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, mmap.PAGESIZE)

    def close(self) -> None:
        """Give the memory back; the worker has ended."""
        self._memory.close()

    @property
    def serves(self) -> bool:
        """Whether the worker answers requests, or has done so until it was told to stop."""
        return bool(self._memory[_SERVES])

    @serves.setter
    def serves(self, value: bool) -> None:
        self._memory[_SERVES] = value

    @property
    def leaves(self) -> bool:
        """Whether it stops, whoever has told it to."""
        return bool(self._memory[_LEAVES])

    @leaves.setter
    def leaves(self, value: bool) -> None:
        self._memory[_LEAVES] = value

    @property
    def is_tired(self) -> bool:
        """Whether it has answered as many requests as it should, and waits to be replaced."""
        return bool(self._memory[_IS_TIRED])

    @is_tired.setter
    def is_tired(self, value: bool) -> None:
        self._memory[_IS_TIRED] = value

    @property
    def is_last(self) -> bool:
        """Whether no other worker listens after it, as its manager says: all of them stop."""
        return bool(self._memory[_IS_LAST])

    @is_last.setter
    def is_last(self, value: bool) -> None:
        self._memory[_IS_LAST] = value

    @property
    def hurries(self) -> bool:
        """Whether it need not drain, as its manager says: nobody knows yet that it serves."""
        return bool(self._memory[_HURRIES])

    @hurries.setter
    def hurries(self, value: bool) -> None:
        self._memory[_HURRIES] = value

    @property
    def stop_s(self) -> float:
        """How long it takes at most to stop, in seconds; 0 until it has said it."""
        seconds: float = _SECONDS.unpack_from(self._memory, _STOP_AT)[0]
        return seconds

    @stop_s.setter
    def stop_s(self, value: float) -> None:
        _SECONDS.pack_into(self._memory, _STOP_AT, value)
