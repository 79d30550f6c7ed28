"""Folder: where the processes of one server meet, and what is kept of those that have ended.

Each process that lives has a file there, which it holds a lock on; the kernel gives that back
however the process ends. What the dead have counted is added up in one file, so that there are
never more files than processes, and one.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from .locks import Lock
from .merging import Merged
from .shelf import Shelf, entries_in

__all__ = ["Folder", "UnfitFolder"]

ENDED: Final = "ended"
"""The file with what the dead have counted."""
SUFFIX: Final = ".cells"
LOCK: Final = "lock"
LEADER: Final = "leader"
AT_ONCE: Final = 500
"""How many files are added up at once: their names fit into one entry."""
FOLDED: Final = 3
"""The kind of an entry that names the files which are in the sums already."""


class UnfitFolder(Exception):
    """A folder cannot be used; its text says why."""


class Folder:
    """The folder of a server's processes, or of a worker's.

    Args:
        path: Where it is; it is made for this user alone.
        is_in_shared: Whether the folder around it lies where every user of the machine may make
            one of its name before us: then that one has to be ours as well.
    """

    def __init__(self, path: Path, *, is_in_shared: bool = False) -> None:
        self.path = path
        self._is_in_shared = is_in_shared
        self._own: tuple[Path, Lock] | None = None

    def enter(self) -> Shelf:
        """Give this process a file. Whoever finds no other process alive begins with nothing.

        Raises:
            UnfitFolder: It cannot be made, or is somebody else's.
        """
        try:
            self._make()
            with self._locked():
                alive = self._sweep()
                if not alive:
                    (self.path / ENDED).unlink(missing_ok=True)
                file = self.path / f"{os.getpid()}-{time.time_ns()}{SUFFIX}"
                lock = Lock.take(file, is_new=True)
        except OSError as error:
            raise UnfitFolder(f"{self.path}: {error.strerror}") from error
        assert lock is not None
        self._own = file, lock
        return Shelf(lock.descriptor)

    def read(self) -> Merged:
        """Return what all processes have counted, the dead included."""
        merged = Merged()
        with self._locked():
            for file in self._sweep():
                merged.add_file(file)
            ended = self.path / ENDED
            if ended.exists():
                merged.add_file(ended, is_live=False)
        return merged

    def leave(self) -> None:
        """Add this process to the dead; it counts nothing more."""
        if self._own is None:
            return
        _, lock = self._own
        self._own = None
        lock.release()
        with suppress(OSError), self._locked():
            self._sweep()

    def lead(self) -> Lock | None:
        """Return a lock that one of the processes may hold; None while another one does."""
        return Lock.take(self.path / LEADER)

    def _make(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._is_in_shared:  # whoever has it could put a link in the place of ours
            _close_to_others(self.path.parent)
        self.path.mkdir(mode=0o700, exist_ok=True)
        _close_to_others(self.path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = Lock.take(self.path / LOCK, waits=True)
        assert lock is not None
        try:
            yield
        finally:
            lock.release()

    def _sweep(self) -> list[Path]:
        """Add up the files of the dead; return those of processes that live, the newest first."""
        alive, dead = list[Path](), list[Path]()
        files = sorted(self.path.glob(f"*{SUFFIX}"), key=_made_at, reverse=True)
        for file in files:
            (alive if self._is_live(file) else dead).append(file)
        for start in range(0, len(dead), AT_ONCE):
            self._fold(dead[start : start + AT_ONCE])
        return alive

    def _is_live(self, file: Path) -> bool:
        if self._own is not None and self._own[0] == file:
            return True
        lock = Lock.take(file)
        if lock is not None:
            lock.release()
        return lock is None

    def _fold(self, dead: list[Path]) -> None:
        """Add files to the sums. Killed in the middle of it, the next one neither adds them twice.

        The sums say which files are in them. They take the place of those before in one step, and
        the files are removed afterwards.
        """
        ended = self.path / ENDED
        known = _folded_in(ended)
        merged = Merged()
        for file in dead:
            if file.name not in known:
                merged.add_file(file, is_live=False)
        if ended.exists():
            merged.add_file(ended, is_live=False)
        self._write(merged, [file.name for file in dead])
        for file in dead:
            file.unlink(missing_ok=True)

    def _write(self, merged: Merged, names: list[str]) -> None:
        new = self.path / f"{ENDED}.new"
        with open(os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "r+b") as file:
            shelf = Shelf(file.fileno())
            shelf.note(FOLDED, names)
            for metric, family in merged.families.values():
                for labels, cells in family.items():
                    place = shelf.place(metric, labels, len(cells))
                    for number, value in enumerate(cells):
                        place[number] = value
        new.replace(self.path / ENDED)


def _close_to_others(folder: Path) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise UnfitFolder(f"{folder} belongs to somebody else")
    if found.st_mode & 0o077:
        folder.chmod(0o700)


def _made_at(file: Path) -> int:
    return int(file.stem.rpartition("-")[2])


def _folded_in(ended: Path) -> set[str]:
    if not ended.exists():
        return set()
    return {name for entry in entries_in(ended) if entry.kind == FOLDED for name in entry.text}
